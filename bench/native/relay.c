/*
 * The floor of the comparison: takes sessions, and passes every UPDATE on to all the others as it came, without a look inside.
 * relay --port 1790 --as 65000 [--address 127.0.0.1] [--routerid 10.0.0.1] [--sessions 4096]
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bgp.h"

/* A slab goes out in one write, but for the parts that came from where it goes. */
enum { READ_SIZE = 256 * 1024, SLAB_SIZE = 64 * 1024, WRITE_PARTS = 64 };
enum { MAX_EVENTS = 1024, HOLD_TIME = 180 };

/* A stretch of a slab that came from one session. */
struct piece {
	int origin;
	uint32_t end;
};

/*
 * What was received, once for all: a chain of slabs that grows at its end. Each session stands somewhere in it, and a slab that
 * everybody has passed is freed.
 */
struct slab {
	struct slab *next;
	int readers;
	uint32_t used;
	uint32_t piece_count;
	/* As many as there could be of the shortest UPDATE. */
	struct piece pieces[SLAB_SIZE / 23];
	uint8_t bytes[SLAB_SIZE];
};

struct session {
	int fd;
	int number;
	bool is_established;
	bool waits_for_room;
	struct slab *slab;
	uint32_t piece;
	uint32_t offset;
	uint8_t partial[MAX_MESSAGE];
	size_t partial_length;
};

static struct open_fields local = {.as = 65000, .hold = HOLD_TIME, .router_id = 0x0a000001, .ipv4 = true, .ipv6 = true};
static struct slab *first_slab, *last_slab;
static struct session **sessions;
static int session_limit = 4096;
static int epoll_fd, listen_fd;
static uint8_t buffer[MAX_MESSAGE + READ_SIZE];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct slab *slab_new(void)
{
	/* Not cleared: of the arrays only what is used counts. */
	struct slab *slab = malloc(sizeof *slab);
	if (slab == NULL)
		fail("out of memory");
	slab->next = NULL;
	slab->readers = 0;
	slab->used = slab->piece_count = 0;
	return slab;
}

static void free_passed_slabs(void)
{
	while (first_slab != last_slab && first_slab->readers == 0) {
		struct slab *passed = first_slab;
		first_slab = passed->next;
		free(passed);
	}
}

static void append(int origin, const uint8_t *message, size_t length)
{
	if (last_slab->used + length > SLAB_SIZE) {
		last_slab->next = slab_new();
		last_slab = last_slab->next;
	}
	struct slab *slab = last_slab;
	memcpy(slab->bytes + slab->used, message, length);
	slab->used += (uint32_t)length;
	if (slab->piece_count == 0 || slab->pieces[slab->piece_count - 1].origin != origin)
		slab->pieces[slab->piece_count++] = (struct piece){.origin = origin};
	slab->pieces[slab->piece_count - 1].end = slab->used;
}

static void stand_at_end(struct session *session)
{
	session->slab = last_slab;
	session->slab->readers++;
	session->offset = last_slab->used;
	session->piece = last_slab->piece_count;
	/* The last piece may grow yet. */
	if (session->piece > 0)
		session->piece--;
}

static void watch(struct session *session, int operation)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = session};
	if (session->waits_for_room)
		event.events |= EPOLLOUT;
	epoll_ctl(epoll_fd, operation, session->fd, &event);
}

static void end_session(struct session *session)
{
	close(session->fd);
	session->fd = -1;
	if (session->slab != NULL)
		session->slab->readers--;
	sessions[session->number] = NULL;
	free(session);
	free_passed_slabs();
}

/* Steps over what is done, and over what came from the session itself; false when there is nothing left. */
static bool find_piece(struct session *session)
{
	for (;;) {
		struct slab *slab = session->slab;
		while (session->piece < slab->piece_count) {
			const struct piece *piece = &slab->pieces[session->piece];
			if (piece->origin == session->number)
				session->offset = piece->end;
			if (session->offset < piece->end)
				return true;
			/* The last one may grow yet. */
			if (session->piece + 1 == slab->piece_count)
				break;
			session->piece++;
		}
		if (slab->next == NULL)
			return false;
		slab->readers--;
		session->slab = slab->next;
		session->slab->readers++;
		session->piece = session->offset = 0;
	}
}

/* What of the present slab can go out in one write: pieces side by side become one part. */
static int gather(const struct session *session, struct iovec *parts)
{
	struct slab *slab = session->slab;
	uint32_t from = session->offset;
	int count = 0;
	for (uint32_t i = session->piece; i < slab->piece_count && count < WRITE_PARTS; i++) {
		uint32_t to = slab->pieces[i].end;
		if (slab->pieces[i].origin != session->number && to > from) {
			uint8_t *start = slab->bytes + from;
			struct iovec *last = count > 0 ? &parts[count - 1] : NULL;
			if (last != NULL && (uint8_t *)last->iov_base + last->iov_len == start)
				last->iov_len += to - from;
			else
				parts[count++] = (struct iovec){start, to - from};
		}
		from = to;
	}
	return count;
}

static void step(struct session *session, const struct iovec *parts, size_t octets)
{
	for (; octets > parts->iov_len; parts++)
		octets -= parts->iov_len;
	session->offset = (uint32_t)((uint8_t *)parts->iov_base - session->slab->bytes + (ptrdiff_t)octets);
	while (session->piece + 1 < session->slab->piece_count
		&& session->slab->pieces[session->piece].end <= session->offset)
		session->piece++;
}

static void flush(struct session *session)
{
	bool is_full = false;
	while (!is_full && find_piece(session)) {
		struct iovec parts[WRITE_PARTS];
		int count = gather(session, parts);
		ssize_t octets = writev(session->fd, parts, count);
		if (octets > 0)
			step(session, parts, (size_t)octets);
		else
			is_full = true;
	}
	if (is_full != session->waits_for_room) {
		session->waits_for_room = is_full;
		watch(session, EPOLL_CTL_MOD);
	}
}

static void flush_all(void)
{
	for (int i = 0; i < session_limit; i++) {
		struct session *session = sessions[i];
		if (session != NULL && session->is_established && !session->waits_for_room)
			flush(session);
	}
	free_passed_slabs();
}

/*
 * OPEN is answered with our own and with a KEEPALIVE. The other side takes the session for established when it has these, maybe
 * before we do: so what is passed on from now on is for this session too.
 */
static void answer_open(struct session *session)
{
	if (session->slab == NULL)
		stand_at_end(session);
	uint8_t message[2 * MAX_MESSAGE];
	size_t length = write_open(message, &local);
	length += write_keepalive(message + length);
	send(session->fd, message, length, MSG_NOSIGNAL);
}

/* Every sign of life is returned: that makes as many as the other side needs, without a timer. */
static void answer_keepalive(struct session *session)
{
	uint8_t message[MAX_MESSAGE];
	/* What is under way is a sign of life too, and nothing may come in the middle of a message. */
	if (!session->waits_for_room)
		send(session->fd, message, write_keepalive(message), MSG_NOSIGNAL);
}

/* One sender's table is complete, but not that of all of them: the marker is not passed on. */
static bool is_end_of_rib(const uint8_t *message, size_t length)
{
	struct update update;
	return length < 30 && split_update(message, length, &update) && update.is_end_of_rib;
}

static bool take_message(struct session *session, const uint8_t *message, size_t length)
{
	uint8_t type = message[18];
	if (type == OPEN)
		answer_open(session);
	else if (type == KEEPALIVE && session->is_established)
		answer_keepalive(session);
	else if (type == KEEPALIVE)
		session->is_established = session->slab != NULL;
	else if (type == UPDATE && !is_end_of_rib(message, length))
		append(session->number, message, length);
	return type != NOTIFICATION;
}

static bool read_session(struct session *session)
{
	uint8_t *start = buffer + MAX_MESSAGE - session->partial_length;
	memcpy(start, session->partial, session->partial_length);
	ssize_t octets = recv(session->fd, buffer + MAX_MESSAGE, READ_SIZE, 0);
	if (octets <= 0)
		return octets < 0 && (errno == EAGAIN || errno == EINTR);
	size_t length = session->partial_length + (size_t)octets;
	int size;
	while ((size = whole_message(start, length)) > 0) {
		if (!take_message(session, start, (size_t)size))
			return false;
		start += size;
		length -= (size_t)size;
	}
	session->partial_length = length;
	memcpy(session->partial, start, length);
	return size == 0;
}

static int free_place(void)
{
	for (int i = 0; i < session_limit; i++)
		if (sessions[i] == NULL)
			return i;
	return -1;
}

static void take_connections(void)
{
	int fd;
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		int place = free_place(), on = 1;
		struct session *session = place < 0 ? NULL : calloc(1, sizeof *session);
		if (session == NULL) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		session->fd = fd;
		session->number = place;
		sessions[place] = session;
		watch(session, EPOLL_CTL_ADD);
	}
}

static void session_event(struct session *session, uint32_t events)
{
	if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) && !read_session(session)) {
		end_session(session);
		return;
	}
	if (session->waits_for_room && (events & EPOLLOUT))
		flush(session);
}

static void start_listening(const char *address, unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		fprintf(stderr, "no IPv4 address: %s\n", address);
		exit(2);
	}
	int on = 1;
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listen_fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(listen_fd, 4096) < 0)
		fail("listen");
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
}

static unsigned parse_options(int count, char **arguments, const char **address)
{
	static const struct option options[] = {
		{"address", required_argument, NULL, 'a'}, {"port", required_argument, NULL, 'p'},
		{"as", required_argument, NULL, 'n'}, {"routerid", required_argument, NULL, 'r'},
		{"sessions", required_argument, NULL, 's'}, {0},
	};
	unsigned port = 1790;
	for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
		if (option == 'a')
			*address = optarg;
		else if (option == 'p')
			port = (unsigned)atoi(optarg);
		else if (option == 'n')
			local.as = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'r')
			local.router_id = ntohl(inet_addr(optarg));
		else if (option == 's')
			session_limit = atoi(optarg);
		else
			exit(2);
	}
	return port;
}

static void raise_limit(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments)
{
	const char *address = "127.0.0.1";
	unsigned port = parse_options(count, arguments, &address);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	sessions = calloc((size_t)session_limit, sizeof *sessions);
	first_slab = last_slab = slab_new();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	start_listening(address, port);
	for (;;) {
		struct epoll_event events[MAX_EVENTS];
		int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
		bool has_connections = false;
		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr == NULL)
				has_connections = true;
			else
				session_event(events[i].data.ptr, events[i].events);
		}
		/* Last: who comes may take the place of one that has just gone. */
		if (has_connections)
			take_connections();
		flush_all();
	}
}
