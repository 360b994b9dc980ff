/*
 * The kernel's own limit: routes by netlink into the main table of this network namespace, with nothing else to do than to send
 * messages that were made before. kernel-loop --device DEVICE [--routes 100000] [--ipv6] [--via ADDRESS] [--replace] [--delete]
 * Prints one line of JSON for each step.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 1000, MAX_ROUTE_MESSAGE = 128 };

struct job {
	int family;
	int address_length;
	int device;
	bool has_gateway;
	uint8_t gateway[16];
	uint32_t routes;
};

/* One step: all routes are added, replaced or deleted. */
struct step {
	const char *name;
	uint16_t type;
	uint16_t flags;
	/* Kept with the route and shown by ip(8), as `proto`; what a replacement changes. */
	uint8_t protocol;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* User and system time. */
static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static double now_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void add_attribute(struct nlmsghdr *message, uint16_t type, const void *value, size_t length)
{
	struct rtattr *attribute = (struct rtattr *)((uint8_t *)message + NLMSG_ALIGN(message->nlmsg_len));
	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), value, length);
	message->nlmsg_len = (uint32_t)(NLMSG_ALIGN(message->nlmsg_len) + RTA_ALIGN(attribute->rta_len));
}

/* Host routes from 10.0.0.0, or from 2001:db8:1:: on, the number in the last four octets. */
static void destination_of(const struct job *job, uint32_t number, uint8_t *address)
{
	static const uint8_t first[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
	memcpy(address, first, sizeof first);
	uint32_t four = htonl(0x0a000000 + number), six = htonl(number);
	if (job->family == AF_INET)
		memcpy(address, &four, sizeof four);
	else
		memcpy(address + 8, &six, sizeof six);
}

static size_t put_route(uint8_t *at, const struct job *job, const struct step *step, uint32_t number)
{
	memset(at, 0, MAX_ROUTE_MESSAGE);
	struct nlmsghdr *message = (struct nlmsghdr *)at;
	message->nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg));
	message->nlmsg_type = step->type;
	message->nlmsg_flags = NLM_F_REQUEST | step->flags;
	message->nlmsg_seq = number + 1;
	struct rtmsg *route = NLMSG_DATA(message);
	route->rtm_family = (uint8_t)job->family;
	route->rtm_dst_len = (uint8_t)(job->address_length * 8);
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = step->protocol;
	route->rtm_type = RTN_UNICAST;
	route->rtm_scope = job->has_gateway || job->family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (step->type == RTM_DELROUTE)
		route->rtm_scope = RT_SCOPE_NOWHERE;
	uint8_t address[16];
	destination_of(job, number, address);
	add_attribute(message, RTA_DST, address, (size_t)job->address_length);
	add_attribute(message, RTA_OIF, &job->device, sizeof job->device);
	if (job->has_gateway)
		add_attribute(message, RTA_GATEWAY, job->gateway, (size_t)job->address_length);
	return NLMSG_ALIGN(message->nlmsg_len);
}

/* All batches one behind the other; `ends` has where each ends. */
static uint8_t *assemble(const struct job *job, const struct step *step, size_t *ends)
{
	uint8_t *messages = malloc((size_t)job->routes * MAX_ROUTE_MESSAGE);
	if (messages == NULL)
		fail("out of memory");
	size_t at = 0;
	for (uint32_t number = 0; number < job->routes; number++) {
		struct nlmsghdr *message = (struct nlmsghdr *)(messages + at);
		at += put_route(messages + at, job, step, number);
		bool ends_batch = number % BATCH == BATCH - 1 || number == job->routes - 1;
		/* Failures are answered in any case; success is acknowledged once a batch. */
		if (ends_batch) {
			message->nlmsg_flags |= NLM_F_ACK;
			ends[number / BATCH] = at;
		}
	}
	return messages;
}

/* Reads answers up to the one with this sequence number. */
static void await(int fd, uint32_t sequence)
{
	static uint8_t buffer[65536];
	for (;;) {
		ssize_t octets = recv(fd, buffer, sizeof buffer, 0);
		if (octets < 0)
			fail("netlink");
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;
		for (int left = (int)octets; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			const struct nlmsgerr *outcome = NLMSG_DATA(message);
			if (message->nlmsg_type == NLMSG_ERROR && outcome->error != 0) {
				errno = -outcome->error;
				fail("route");
			}
			if (message->nlmsg_seq == sequence)
				return;
		}
	}
}

static void run(int fd, const struct job *job, const struct step *step)
{
	uint32_t batches = (job->routes + BATCH - 1) / BATCH;
	size_t *ends = calloc(batches, sizeof *ends);
	uint8_t *messages = assemble(job, step, ends);
	double started = now_seconds(), cpu = cpu_seconds();
	for (uint32_t batch = 0; batch < batches; batch++) {
		size_t from = batch == 0 ? 0 : ends[batch - 1];
		if (send(fd, messages + from, ends[batch] - from, 0) < 0)
			fail("netlink");
		uint32_t last = (batch + 1) * BATCH < job->routes ? (batch + 1) * BATCH : job->routes;
		await(fd, last);
	}
	double seconds = now_seconds() - started;
	printf("{\"step\":\"%s\",\"routes\":%u,\"seconds\":%.6f,\"perSecond\":%.0f,\"cpu\":%.6f}\n", step->name, job->routes, seconds,
		job->routes / seconds, cpu_seconds() - cpu);
	fflush(stdout);
	free(messages);
	free(ends);
}

static int open_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		fail("netlink");
	/* A batch goes out whole, and an answer need not repeat the message that it is about. */
	int room = BATCH * MAX_ROUTE_MESSAGE * 4, on = 1;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	return fd;
}

int main(int count, char **arguments)
{
	static const struct option options[] = {
		{"device", required_argument, NULL, 'd'}, {"routes", required_argument, NULL, 'n'}, {"ipv6", no_argument, NULL, '6'},
		{"via", required_argument, NULL, 'v'}, {"replace", no_argument, NULL, 'r'}, {"delete", no_argument, NULL, 'x'}, {0},
	};
	struct job job = {.family = AF_INET, .address_length = 4, .routes = 100000};
	const char *device = "", *gateway = NULL;
	bool replaces = false, deletes = false;
	for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
		if (option == 'd')
			device = optarg;
		else if (option == 'n')
			job.routes = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == '6')
			job.family = AF_INET6, job.address_length = 16;
		else if (option == 'v')
			gateway = optarg;
		else if (option == 'r')
			replaces = true;
		else if (option == 'x')
			deletes = true;
		else
			return 2;
	}
	job.device = (int)if_nametoindex(device);
	if (job.device == 0)
		fail(device);
	job.has_gateway = gateway != NULL;
	if (gateway != NULL && inet_pton(job.family, gateway, job.gateway) != 1) {
		fprintf(stderr, "no address: %s\n", gateway);
		return 2;
	}
	int fd = open_netlink();
	run(fd, &job, &(struct step){"add", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, RTPROT_STATIC});
	if (replaces)
		run(fd, &job, &(struct step){"replace", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, RTPROT_BGP});
	if (deletes)
		run(fd, &job, &(struct step){"delete", RTM_DELROUTE, 0, RTPROT_UNSPEC});
	return 0;
}
