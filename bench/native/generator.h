/* The parts of the load generator, and what they ask of each other. */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "bgp.h"
#include "prefixes.h"

/* Whole BGP messages in a mapped file. */
struct blob {
	const uint8_t *bytes;
	size_t length;
	uint32_t updates;
};

/* In the order of their lives (RFC 4271, section 8.2.2); WAITING is for a turn, or for the time to dial again. */
enum state { IDLE, WAITING, CONNECTING, OPEN_SENT, OPEN_CONFIRM, ESTABLISHED };

/* What waits to be written: a blob, markers, a flap now and then. */
enum { QUEUE_SIZE = 16 };

struct session {
	int number;
	int fd;
	enum state state;

	struct sockaddr_storage local;
	socklen_t local_length;
	struct open_fields open;
	/* Octets a second that it reads; 0: all that come. */
	uint32_t rate;
	bool is_receiver;
	struct blob table, again, withdraw;

	double dial_at;
	/* Seconds; that which both sides agreed on. */
	double hold;
	double keepalive_at;
	double expires_at;
	/* Octets that a slow reader may read by now. */
	double allowance;

	struct blob queue[QUEUE_SIZE];
	unsigned queued;
	bool waits_for_room;

	/* The beginning of a message whose end has not come yet. */
	uint8_t partial[MAX_MESSAGE];
	size_t partial_length;

	struct bitmap held;
	struct bitmap own;
	uint32_t held_count;
	/* Of these, how many are in its own table: some daemons send a route back to where it came from. */
	uint32_t held_own;
	uint32_t own_count;
	uint32_t next_guess;

	bool is_satisfied;
	/* Prefixes of the present flap that it has not seen change; 0: seen. */
	uint32_t flap_missing;
};

struct traffic {
	uint64_t octets, messages, updates, announced, withdrawn, end_of_rib;
};

/* session.c: one BGP session. */
extern struct session **sessions;
extern int session_count;
extern struct sockaddr_storage target;
extern socklen_t target_length;
struct session *session_new(void);
/* Opens a connection; outcomes come as events. False when it cannot even be tried. */
void session_dial(struct session *session);
void session_event(struct session *session, uint32_t events);
/* False when too much is queued already. */
bool session_queue(struct session *session, struct blob blob);
void session_opened(struct session *session, const uint8_t *open);
void session_established(struct session *session);
/* It ended against our will. */
void session_lost(struct session *session, const char *text);
/* Writes as much of the queue as the socket takes at once. */
void session_flush(struct session *session);
/* Its table, and the end of it. */
void session_send_table(struct session *session);
/* Ends the connection from our side: with Cease, or with a reset. */
void session_drop(struct session *session, bool hard);
/* Timers: keepalives and hold times, once a second is enough; slow readers, when `seconds` have passed. */
void sessions_keep_alive(double now);
void sessions_read_slowly(double seconds);
/* How many are slow readers, and how many have something to write that the socket does not take. */
extern int slow_count, blocked_count;

/* receive.c: what comes in. */
/* Reads once, at most `limit` octets. */
void session_read(struct session *session, size_t limit);
/* Since the program began. */
extern uint64_t read_count, received_octets;

/* dialer.c: who is dialled when. */
void dialer_start(int window, bool resend);
/* Dials those whose time has come; returns when it wants to be called again, 0 for never. */
double dialer_run(double now);
void dialer_dialled(void);
void dialer_established(struct session *session);
/* A session is down that was in the state `before`. */
void dialer_left(enum state before);
/* It was so against our will: a dial that failed, or a session that ended. */
void dialer_lost(struct session *session);
bool dialer_is_busy(void);
extern int established_count;
extern uint64_t retry_count;

/* measure.c: the clock, the counters, and what is waited for. */
extern struct traffic received, sent;
double now_seconds(void);
void clock_start(void);
/* Seconds since then. */
double clock_elapsed(void);
void expect(uint32_t count, bool except_own, bool only_fast);
bool is_expecting(void);
/* To be called whenever what a session holds, or its state, has changed. */
void measure_progress(struct session *session);
void print_stats(void);
void print_error(const char *text, ...) __attribute__((format(printf, 1, 2)));
/* A session was lost against our will. */
void print_down(struct session *session, const char *text);
void note_failure(const char *text);

/* churn.c: one session flaps, and the others are watched. */
extern bool is_churning;
void churn_start(struct session *session, uint32_t events, double interval);
/* Returns when it wants to be called again, 0 for never. */
double churn_run(double now);
void churn_saw(struct session *session, uint32_t number, bool announced);

/* commands.c: what to do, from standard input. */
/* Reads what has come; false at the end. */
bool commands_read(void);
/* Carries out what was read, up to a `wait` for what is not there yet; false after `quit`. */
bool commands_run(void);

/* Whether some wait. */
bool commands_are_left(void);

/* blobs.c: files of messages. */
/* False with a message printed when the file cannot be had or is not BGP. */
bool blob_open(const char *path, size_t offset, size_t length, struct blob *blob);
/* Calls for each prefix that the messages of a blob announce, or withdraw. */
void blob_prefixes(struct blob blob, bool announced, void (*call)(void *context, uint32_t number), void *context);

/* generator.c: the main loop. */
extern int epoll_fd;
/* The part of the time measured so far for which little things may gather before they are read. */
extern double pace;
