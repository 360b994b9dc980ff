#include "generator.h"

#include <stdio.h>

/* How long the last event may take to be seen. */
static const double PATIENCE = 5;

bool is_churning;

/* A flap has two sides: all of `withdraw` go, then all of `again` come. */
struct side {
	struct blob blob;
	struct bitmap prefixes;
	uint32_t count;
	bool announces;
};

static struct side sides[2];
static const struct side *side;
static struct session *flapping;
static uint32_t events, events_done;
static double interval, event_at, next_at;
/* Receivers that have not seen the present event. */
static uint32_t missing;
static uint64_t lost;
/* Milliseconds. */
static double *samples;
static size_t sample_count, sample_room;

static void add_prefix(void *context, uint32_t number)
{
	struct side *to = context;
	to->count += bitmap_add(&to->prefixes, number);
}

static void prepare(struct side *to, struct blob blob, bool announces)
{
	bitmap_free(&to->prefixes);
	*to = (struct side){.blob = blob, .announces = announces};
	blob_prefixes(blob, announces, add_prefix, to);
}

void churn_start(struct session *session, uint32_t count, double seconds)
{
	if (session->state != ESTABLISHED || session->withdraw.length == 0 || session->again.length == 0) {
		print_error("session %d cannot flap: it is down, or has nothing to withdraw or to announce again", session->number);
		return;
	}
	flapping = session;
	events = count;
	interval = seconds;
	prepare(&sides[0], session->withdraw, false);
	prepare(&sides[1], session->again, true);
	events_done = missing = 0;
	lost = sample_count = 0;
	next_at = now_seconds();
	is_churning = true;
}

static bool is_watched(const struct session *session)
{
	return session->is_receiver && session != flapping && session->rate == 0 && session->state == ESTABLISHED;
}

/* What was not seen of the last event never will be: the next one undoes it. */
static void forget_last_event(void)
{
	lost += missing;
	missing = 0;
}

static void next_event(double now)
{
	forget_last_event();
	side = &sides[events_done++ % 2];
	for (int i = 0; i < session_count; i++) {
		bool watched = is_watched(sessions[i]);
		sessions[i]->flap_missing = watched ? side->count : 0;
		missing += watched;
	}
	next_at = now + interval;
	event_at = now_seconds();
	if (!session_queue(flapping, side->blob))
		print_error("session %d cannot flap: the daemon does not read", flapping->number);
	session_flush(flapping);
}

void churn_saw(struct session *session, uint32_t number, bool announced)
{
	if (session->flap_missing == 0 || announced != side->announces || !bitmap_has(&side->prefixes, number))
		return;
	if (--session->flap_missing > 0)
		return;
	if (sample_count == sample_room) {
		sample_room = sample_room * 2 + 1024;
		samples = allocate(samples, sample_room, sizeof *samples);
	}
	samples[sample_count++] = (now_seconds() - event_at) * 1000;
	missing--;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

static double quantile(double share)
{
	return sample_count == 0 ? 0 : samples[(size_t)(share * (double)(sample_count - 1))];
}

static void finish(void)
{
	is_churning = false;
	forget_last_event();
	qsort(samples, sample_count, sizeof *samples, compare);
	printf("{\"event\":\"churned\",\"events\":%u,\"samples\":%zu,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"max\":%.4f,\"lost\":%llu}\n",
		events_done, sample_count, quantile(0.5), quantile(0.9), quantile(0.99), quantile(1), (unsigned long long)lost);
}

double churn_run(double now)
{
	if (!is_churning)
		return 0;
	if (flapping->state != ESTABLISHED) {
		print_error("session %d went down while it flapped", flapping->number);
		finish();
		return 0;
	}
	bool was_last = events_done == events;
	if (was_last && (missing == 0 || now > event_at + PATIENCE)) {
		finish();
		return 0;
	}
	if (was_last)
		return event_at + PATIENCE;
	if (now >= next_at)
		next_event(now);
	return next_at;
}
