#include "generator.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum { READ_SIZE = 256 * 1024 };

uint64_t read_count, received_octets;

/* Room in front for the beginning of a message that an earlier read ended in. */
static uint8_t buffer[MAX_MESSAGE + READ_SIZE];

static void take_announced(struct session *session, struct nlri *run)
{
	struct prefix prefix;
	while (next_prefix(run, &prefix)) {
		uint32_t number = prefix_number(&prefix, session->next_guess);
		session->next_guess = number + 1;
		received.announced++;
		if (!bitmap_add(&session->held, number))
			continue;
		session->held_count++;
		session->held_own += bitmap_has(&session->own, number);
		if (is_churning)
			churn_saw(session, number, true);
	}
}

static void take_withdrawn(struct session *session, struct nlri *run)
{
	struct prefix prefix;
	while (next_prefix(run, &prefix)) {
		uint32_t number = prefix_number(&prefix, session->next_guess);
		session->next_guess = number + 1;
		received.withdrawn++;
		if (!bitmap_remove(&session->held, number))
			continue;
		session->held_count--;
		session->held_own -= bitmap_has(&session->own, number);
		if (is_churning)
			churn_saw(session, number, false);
	}
}

static bool is_whole(struct nlri run)
{
	return run.at == run.end;
}

static bool take_update(struct session *session, const uint8_t *message, size_t length)
{
	received.updates++;
	if (!session->is_receiver)
		return true;
	struct update update;
	if (!split_update(message, length, &update))
		return false;
	received.end_of_rib += update.is_end_of_rib;
	take_withdrawn(session, &update.withdrawn);
	take_withdrawn(session, &update.mp_withdrawn);
	take_announced(session, &update.mp_announced);
	take_announced(session, &update.announced);
	return is_whole(update.withdrawn) && is_whole(update.announced)
		&& is_whole(update.mp_withdrawn) && is_whole(update.mp_announced);
}

static void take_notification(struct session *session, const uint8_t *message, size_t length)
{
	char text[64] = "NOTIFICATION";
	if (length >= HEADER_LENGTH + 2)
		snprintf(text, sizeof text, "NOTIFICATION %d/%d", message[HEADER_LENGTH], message[HEADER_LENGTH + 1]);
	session_lost(session, text);
}

/* As much of the finite state machine (RFC 4271, section 8) as a well-meaning speaker needs. */
static void take_message(struct session *session, const uint8_t *message, size_t length)
{
	uint8_t type = message[18];
	received.messages++;
	if (type == NOTIFICATION)
		take_notification(session, message, length);
	else if (type == OPEN && session->state == OPEN_SENT && length >= HEADER_LENGTH + 10)
		session_opened(session, message);
	else if (type == KEEPALIVE && session->state == OPEN_CONFIRM)
		session_established(session);
	else if (type == OPEN || session->state < OPEN_CONFIRM)
		session_lost(session, "a message out of turn");
	else if (type == UPDATE && !take_update(session, message, length))
		session_lost(session, "a malformed UPDATE");
}

/* Takes all whole messages; returns how many octets those were. */
static size_t take_messages(struct session *session, const uint8_t *bytes, size_t length)
{
	size_t at = 0;
	while (session->fd >= 0) {
		int size = whole_message(bytes + at, length - at);
		if (size == 0)
			break;
		if (size < 0) {
			session_lost(session, "not BGP");
			break;
		}
		take_message(session, bytes + at, (size_t)size);
		at += (size_t)size;
	}
	return at;
}

void session_read(struct session *session, size_t limit)
{
	uint8_t *fresh = buffer + MAX_MESSAGE;
	ssize_t octets = recv(session->fd, fresh, limit < READ_SIZE ? limit : READ_SIZE, 0);
	if (octets <= 0) {
		if (octets == 0)
			session_lost(session, "closed");
		else if (errno != EAGAIN && errno != EINTR)
			session_lost(session, strerror(errno));
		return;
	}
	read_count++;
	received_octets += (size_t)octets;
	received.octets += (size_t)octets;
	session->allowance -= (double)octets;
	if (session->hold > 0)
		session->expires_at = now_seconds() + session->hold;
	uint8_t *start = fresh - session->partial_length;
	memcpy(start, session->partial, session->partial_length);
	size_t length = session->partial_length + (size_t)octets;
	size_t taken = take_messages(session, start, length);
	if (session->fd < 0)
		return;
	session->partial_length = length - taken;
	memcpy(session->partial, start + taken, session->partial_length);
	measure_progress(session);
}
