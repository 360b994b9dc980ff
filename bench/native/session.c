#include "generator.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { HOLD_TIMER_EXPIRED = 4, CEASE = 6, ADMINISTRATIVE_SHUTDOWN = 2 };
/* What a slow reader's socket takes in, so that its rate is felt at the other end. */
enum { SMALL_BUFFER = 4096 };

struct session **sessions;
int session_count;
struct sockaddr_storage target;
socklen_t target_length;
int slow_count, blocked_count;

struct session *session_new(void)
{
	struct session *session = allocate(NULL, 1, sizeof *session);
	memset(session, 0, sizeof *session);
	session->number = session_count;
	session->fd = -1;
	sessions = allocate(sessions, (size_t)session_count + 1, sizeof *sessions);
	sessions[session_count++] = session;
	return session;
}

/* Slow readers are not woken by what comes in: they look when it is time. */
static void set_interest(struct session *session)
{
	bool is_slow = session->rate > 0 && session->state == ESTABLISHED;
	struct epoll_event event = {.data.ptr = session};
	if (!is_slow)
		event.events |= EPOLLIN;
	if (session->waits_for_room || session->state == CONNECTING)
		event.events |= EPOLLOUT;
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, session->fd, &event);
}

static bool open_socket(struct session *session)
{
	int family = target.ss_family;
	session->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (session->fd < 0)
		return false;
	int on = 1, small = SMALL_BUFFER;
	setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* The port is chosen at connect(), where it need not differ from those of other sessions' addresses. */
	setsockopt(session->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (session->rate > 0)
		setsockopt(session->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	return bind(session->fd, (struct sockaddr *)&session->local, session->local_length) == 0;
}

/* Forgets the connection and all that came over it. */
static void reset(struct session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
	if (session->state == ESTABLISHED && session->rate > 0)
		slow_count--;
	session->state = IDLE;
	session->queued = 0;
	blocked_count -= session->waits_for_room;
	session->waits_for_room = false;
	session->partial_length = 0;
	bitmap_clear(&session->held);
	session->held_count = session->held_own = 0;
	session->allowance = 0;
}

void session_lost(struct session *session, const char *text)
{
	enum state before = session->state;
	reset(session);
	if (before == ESTABLISHED)
		print_down(session, text);
	else
		note_failure(text);
	dialer_left(before);
	dialer_lost(session);
	measure_progress(session);
}

void session_dial(struct session *session)
{
	session->state = CONNECTING;
	dialer_dialled();
	if (!open_socket(session)) {
		session_lost(session, strerror(errno));
		return;
	}
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = session};
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, session->fd, &event);
	if (connect(session->fd, (struct sockaddr *)&target, target_length) < 0 && errno != EINPROGRESS)
		session_lost(session, strerror(errno));
}

/* For what comes first on a connection, when there is room, and for what comes last, when it no longer matters. */
static void send_now(struct session *session, const uint8_t *message, size_t length)
{
	send(session->fd, message, length, MSG_NOSIGNAL);
	sent.octets += length;
	sent.messages++;
}

static void connected(struct session *session)
{
	int error = 0;
	socklen_t length = sizeof error;
	getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		session_lost(session, strerror(error));
		return;
	}
	uint8_t message[MAX_MESSAGE];
	send_now(session, message, write_open(message, &session->open));
	session->state = OPEN_SENT;
	/* RFC 4271, section 8: a large hold time until both have said what they want. */
	session->expires_at = now_seconds() + 240;
	set_interest(session);
}

void session_opened(struct session *session, const uint8_t *open)
{
	unsigned theirs = get16(open + HEADER_LENGTH + 3);
	session->hold = theirs < session->open.hold ? theirs : session->open.hold;
	uint8_t message[MAX_MESSAGE];
	send_now(session, message, write_keepalive(message));
	session->state = OPEN_CONFIRM;
}

void session_established(struct session *session)
{
	session->state = ESTABLISHED;
	session->next_guess = 0;
	double now = now_seconds();
	/* Jitter, so that sessions of one moment do not stay in step (RFC 4271, section 10). */
	session->keepalive_at = now + session->hold / 3 * (0.75 + 0.25 * (session->number % 16) / 16);
	session->expires_at = now + session->hold;
	if (session->rate > 0) {
		slow_count++;
		set_interest(session);
	}
	dialer_established(session);
	measure_progress(session);
}

bool session_queue(struct session *session, struct blob blob)
{
	if (session->queued == QUEUE_SIZE)
		return false;
	if (blob.length > 0)
		session->queue[session->queued++] = blob;
	return true;
}

/* Takes what was written off the queue. */
static void written(struct session *session, size_t octets)
{
	sent.octets += octets;
	unsigned done = 0;
	while (done < session->queued && octets >= session->queue[done].length) {
		octets -= session->queue[done].length;
		sent.updates += session->queue[done].updates;
		sent.messages += session->queue[done].updates;
		done++;
	}
	session->queued -= done;
	memmove(session->queue, session->queue + done, session->queued * sizeof *session->queue);
	if (session->queued > 0) {
		session->queue[0].bytes += octets;
		session->queue[0].length -= octets;
	}
}

void session_flush(struct session *session)
{
	if (session->queued > 0) {
		struct iovec parts[QUEUE_SIZE];
		for (unsigned i = 0; i < session->queued; i++)
			parts[i] = (struct iovec){(void *)session->queue[i].bytes, session->queue[i].length};
		ssize_t octets = writev(session->fd, parts, (int)session->queued);
		if (octets >= 0)
			written(session, (size_t)octets);
		else if (errno != EAGAIN && errno != EINTR)
			/* Reading tells why: a NOTIFICATION may be there. */
			session->queued = 0;
	}
	bool waits = session->queued > 0;
	if (waits != session->waits_for_room) {
		session->waits_for_room = waits;
		blocked_count += waits ? 1 : -1;
		set_interest(session);
	}
}

void session_event(struct session *session, uint32_t events)
{
	if (session->state == CONNECTING) {
		connected(session);
		return;
	}
	bool is_over = events & (EPOLLERR | EPOLLHUP);
	if ((events & EPOLLIN) || is_over)
		session_read(session, SIZE_MAX);
	if ((events & EPOLLOUT) && session->fd >= 0)
		session_flush(session);
}

static struct blob end_of_rib(int family)
{
	static uint8_t messages[3][MAX_MESSAGE];
	size_t length = write_end_of_rib(messages[family], family);
	return (struct blob){messages[family], length, 1};
}

void session_send_table(struct session *session)
{
	bool is_queued = session_queue(session, session->table);
	if (session->open.ipv4)
		is_queued = is_queued && session_queue(session, end_of_rib(IPV4));
	if (session->open.ipv6)
		is_queued = is_queued && session_queue(session, end_of_rib(IPV6));
	if (!is_queued)
		print_error("session %d has too much to send already", session->number);
	session_flush(session);
}

void session_drop(struct session *session, bool hard)
{
	if (session->fd >= 0 && hard) {
		struct linger at_once = {.l_onoff = 1, .l_linger = 0};
		setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else if (session->state >= OPEN_SENT && session->queued == 0) {
		/* In the middle of a message there is no place for another. */
		uint8_t message[MAX_MESSAGE];
		send_now(session, message, write_notification(message, CEASE, ADMINISTRATIVE_SHUTDOWN));
	}
	enum state before = session->state;
	reset(session);
	dialer_left(before);
	measure_progress(session);
}

static void keep_alive(struct session *session, double now)
{
	static uint8_t message[HEADER_LENGTH];
	if (message[0] == 0)
		write_keepalive(message);
	session->keepalive_at = now + session->hold / 3;
	/* What is queued is as good a sign of life, and nothing gets past it. */
	if (session->queued == 0) {
		session_queue(session, (struct blob){message, sizeof message, 0});
		sent.messages++;
		session_flush(session);
	}
}

void sessions_keep_alive(double now)
{
	for (int i = 0; i < session_count; i++) {
		struct session *session = sessions[i];
		bool has_timers = session->state > CONNECTING && (session->state < ESTABLISHED || session->hold > 0);
		if (has_timers && now > session->expires_at) {
			uint8_t message[MAX_MESSAGE];
			if (session->queued == 0)
				send_now(session, message, write_notification(message, HOLD_TIMER_EXPIRED, 0));
			session_lost(session, "hold timer expired");
		} else if (session->state == ESTABLISHED && session->hold > 0 && now >= session->keepalive_at) {
			keep_alive(session, now);
		}
	}
}

void sessions_read_slowly(double seconds)
{
	for (int i = 0; i < session_count; i++) {
		struct session *session = sessions[i];
		if (session->rate == 0 || session->state != ESTABLISHED)
			continue;
		session->allowance += session->rate * seconds;
		/* What was not read in time is no credit for later. */
		if (session->allowance > session->rate)
			session->allowance = session->rate;
		if (session->allowance >= 1)
			session_read(session, (size_t)session->allowance);
	}
}
