/*
 * A load generator for BGP daemons: many sessions from one process, which send what they were given and count what they hear.
 * README.md has the commands.
 */

#include "generator.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Below SMALL_READ octets a read, it pays to let more gather. */
enum { MAX_EVENTS = 512, SMALL_READ = 8192 };
static const double SECOND = 1, SLOW_TICK = 0.05, LONGEST_PAUSE = 0.02;

int epoll_fd;
double pace = 0.005;

/* Standard input is open. */
static bool has_input = true;

/* As many connections as the system allows. */
static void raise_limits(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (geteuid() == 0 && limit.rlim_max < 65536)
		limit.rlim_max = 65536;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void watch_input(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	/* Files cannot be watched, and need not be. */
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0)
		return;
	while (commands_read())
		;
	has_input = false;
}

static void unwatch_input(void)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	has_input = false;
}

static void earlier(double *first, double at)
{
	if (at > 0 && at < *first)
		*first = at;
}

/* Does what is due and returns when the next thing will be. */
static double run_timers(void)
{
	static double keepalive_at, slow_at;
	double now = now_seconds();
	if (now >= keepalive_at) {
		sessions_keep_alive(now);
		keepalive_at = now + SECOND;
	}
	double next = keepalive_at;
	if (slow_count > 0) {
		if (now >= slow_at) {
			double passed = slow_at == 0 ? SLOW_TICK : now - slow_at + SLOW_TICK;
			sessions_read_slowly(passed);
			slow_at = now + SLOW_TICK;
		}
		earlier(&next, slow_at);
	}
	earlier(&next, churn_run(now));
	earlier(&next, dialer_run(now));
	return next;
}

/* Rounded up: a timer that is nearly due is not worth a turn. */
static int milliseconds_until(double at)
{
	double left = at - now_seconds();
	return left <= 0 ? 0 : (int)(left * 1000) + 1;
}

static void wait_for_events(double until)
{
	struct epoll_event events[MAX_EVENTS];
	int count = epoll_wait(epoll_fd, events, MAX_EVENTS, milliseconds_until(until));
	for (int i = 0; i < count; i++) {
		struct session *session = events[i].data.ptr;
		if (session == NULL) {
			if (!commands_read())
				unwatch_input();
		} else if (session->fd >= 0) {
			session_event(session, events[i].events);
		}
	}
}

/*
 * A daemon that writes a message at a time would have us wake, read and acknowledge for each one, on the machine that it runs on
 * too; a receiver elsewhere costs it nothing of the kind. So when what comes is small, we let more gather: for so small a part
 * of the time measured so far that the result does not show it, and not at all while sessions come up, while we have to write,
 * or while latencies are measured.
 */
static void let_gather(void)
{
	static uint64_t octets_before, reads_before;
	uint64_t octets = received_octets - octets_before, reads = read_count - reads_before;
	octets_before = received_octets;
	reads_before = read_count;
	bool is_small = reads > 0 && octets / reads < SMALL_READ;
	if (!is_small || !is_expecting() || dialer_is_busy() || is_churning || blocked_count > 0)
		return;
	double pause = pace * clock_elapsed();
	if (pause > LONGEST_PAUSE)
		pause = LONGEST_PAUSE;
	struct timespec time = {.tv_nsec = (long)(pause * 1e9)};
	nanosleep(&time, NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	raise_limits();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch_input();
	/* The end of the input ends the program, once all that was asked for is done. */
	while (commands_run() && (has_input || commands_are_left())) {
		wait_for_events(run_timers());
		let_gather();
	}
	return 0;
}
