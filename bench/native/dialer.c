#include "generator.h"

#include <stdio.h>

static const double RETRY_AFTER = 0.1;

int established_count;
uint64_t retry_count;

/* Those that wait for their turn, in order of time; one that does not wait any more is passed over. */
static struct session **line;
static size_t line_head, line_tail, line_room;

static int in_flight, window;
static bool resends;
/* Whether somebody waits for all sessions to be established. */
static bool is_connecting;
static double started;
static uint64_t retries_before;

/* Where those were who have left, or else in more memory. */
static void make_room(void)
{
	if (line_head > line_room / 2) {
		line_tail -= line_head;
		memmove(line, line + line_head, line_tail * sizeof *line);
		line_head = 0;
	} else {
		line_room = line_room * 2 + 64;
		line = allocate(line, line_room, sizeof *line);
	}
}

static void enqueue(struct session *session, double at)
{
	if (line_tail == line_room)
		make_room();
	line[line_tail++] = session;
	session->state = WAITING;
	session->dial_at = at;
}

static void report_when_done(void)
{
	if (!is_connecting || established_count < session_count)
		return;
	is_connecting = false;
	printf("{\"event\":\"established\",\"sessions\":%d,\"seconds\":%.6f,\"retries\":%llu}\n", session_count,
		now_seconds() - started, (unsigned long long)(retry_count - retries_before));
}

void dialer_start(int dials, bool resend)
{
	window = dials;
	resends = resend;
	is_connecting = true;
	started = now_seconds();
	retries_before = retry_count;
	for (int i = 0; i < session_count; i++)
		if (sessions[i]->state == IDLE)
			enqueue(sessions[i], started);
	report_when_done();
}

bool dialer_is_busy(void)
{
	return is_connecting;
}

double dialer_run(double now)
{
	while (line_head < line_tail && (window <= 0 || in_flight < window)) {
		struct session *session = line[line_head];
		if (session->state == WAITING && session->dial_at > now)
			return session->dial_at;
		line_head++;
		if (session->state == WAITING)
			session_dial(session);
	}
	return 0;
}

void dialer_dialled(void)
{
	in_flight++;
}

void dialer_established(struct session *session)
{
	in_flight--;
	established_count++;
	if (resends)
		session_send_table(session);
	report_when_done();
}

void dialer_left(enum state before)
{
	if (before == ESTABLISHED)
		established_count--;
	else if (before >= CONNECTING)
		in_flight--;
}

void dialer_lost(struct session *session)
{
	if (!is_connecting)
		return;
	retry_count++;
	enqueue(session, now_seconds() + RETRY_AFTER);
}
