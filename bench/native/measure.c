#include "generator.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { DOWN_EVENTS = 10, TEXT_SIZE = 128 };

struct traffic received, sent;

static double clock_seconds, clock_cpu;
/* When the first receiver had all; 0: none yet. */
static double first_seconds;
static uint64_t down_count;
static char last_error[TEXT_SIZE];

static struct {
	bool is_active, except_own, only_fast;
	uint32_t count;
	/* Receivers that do not hold what they should. */
	int missing;
} expected;

double now_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Of this process, in user and in kernel mode. */
static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
		+ (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void clock_start(void)
{
	received = sent = (struct traffic){0};
	first_seconds = 0;
	clock_cpu = cpu_seconds();
	clock_seconds = now_seconds();
}

double clock_elapsed(void)
{
	return now_seconds() - clock_seconds;
}

static void print_traffic(void)
{
	typedef unsigned long long number;
	printf("\"received\":{\"octets\":%llu,\"updates\":%llu,\"messages\":%llu,\"announced\":%llu,\"withdrawn\":%llu,\"endOfRib\":%llu},",
		(number)received.octets, (number)received.updates, (number)received.messages, (number)received.announced,
		(number)received.withdrawn, (number)received.end_of_rib);
	printf("\"sent\":{\"octets\":%llu,\"updates\":%llu,\"messages\":%llu}", (number)sent.octets, (number)sent.updates,
		(number)sent.messages);
}

static void report_when_done(void)
{
	if (!expected.is_active || expected.missing > 0)
		return;
	expected.is_active = false;
	double seconds = now_seconds() - clock_seconds, cpu = cpu_seconds() - clock_cpu;
	printf("{\"event\":\"converged\",\"seconds\":%.6f,\"firstSeconds\":%.6f,\"generatorCpu\":%.6f,\"generatorBusy\":%.3f,",
		seconds, first_seconds > 0 ? first_seconds - clock_seconds : 0, cpu, seconds > 0 ? cpu / seconds : 0);
	print_traffic();
	printf("}\n");
}

static bool is_asked(const struct session *session)
{
	return session->is_receiver && !(expected.only_fast && session->rate > 0);
}

static bool is_satisfied(const struct session *session)
{
	uint32_t holds = session->held_count, wants = expected.count;
	if (expected.except_own) {
		holds -= session->held_own;
		wants -= session->own_count;
	}
	return session->state == ESTABLISHED && holds == wants;
}

static void note_first(void)
{
	if (first_seconds == 0)
		first_seconds = now_seconds();
}

void expect(uint32_t count, bool except_own, bool only_fast)
{
	expected.count = count;
	expected.except_own = except_own;
	expected.only_fast = only_fast;
	expected.missing = 0;
	expected.is_active = true;
	int asked = 0;
	for (int i = 0; i < session_count; i++) {
		if (!is_asked(sessions[i]))
			continue;
		asked++;
		sessions[i]->is_satisfied = is_satisfied(sessions[i]);
		if (sessions[i]->is_satisfied)
			note_first();
		else
			expected.missing++;
	}
	if (asked == 0) {
		expected.is_active = false;
		print_error("no session receives");
	}
	report_when_done();
}

bool is_expecting(void)
{
	return expected.is_active;
}

void measure_progress(struct session *session)
{
	if (!expected.is_active || !is_asked(session))
		return;
	bool is_satisfied_now = is_satisfied(session);
	if (is_satisfied_now == session->is_satisfied)
		return;
	session->is_satisfied = is_satisfied_now;
	expected.missing += is_satisfied_now ? -1 : 1;
	if (is_satisfied_now)
		note_first();
	report_when_done();
}

void print_stats(void)
{
	uint32_t minimum = UINT32_MAX, maximum = 0;
	for (int i = 0; i < session_count; i++) {
		if (!sessions[i]->is_receiver)
			continue;
		uint32_t count = sessions[i]->held_count;
		minimum = count < minimum ? count : minimum;
		maximum = count > maximum ? count : maximum;
	}
	if (minimum > maximum)
		minimum = 0;
	printf("{\"event\":\"stats\",\"established\":%d,\"minimum\":%u,\"maximum\":%u,", established_count, minimum, maximum);
	print_traffic();
	printf(",\"cpu\":%.6f,\"retries\":%llu,\"down\":%llu", cpu_seconds(), (unsigned long long)retry_count,
		(unsigned long long)down_count);
	if (last_error[0] != 0)
		printf(",\"lastError\":\"%s\"", last_error);
	printf("}\n");
}

/* Into a JSON string: what would end it is replaced. */
static void make_safe(char *text)
{
	for (; *text != 0; text++)
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			*text = '?';
}

void print_error(const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	make_safe(text);
	printf("{\"event\":\"error\",\"text\":\"%s\"}\n", text);
}

void note_failure(const char *text)
{
	snprintf(last_error, sizeof last_error, "%s", text);
}

void print_down(struct session *session, const char *text)
{
	note_failure(text);
	if (++down_count <= DOWN_EVENTS)
		printf("{\"event\":\"down\",\"session\":%d,\"text\":\"%s\"}\n", session->number, text);
}
