#include "generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { MAX_WORDS = 40 };

/* What has come and is not carried out yet. */
static char *input;
static size_t input_length, input_room;
static bool is_waiting;

/* The words of a line: name=value, or a name alone. */
struct words {
	char *name[MAX_WORDS];
	char *value[MAX_WORDS];
	int count;
};

static void split(char *line, struct words *words)
{
	words->count = 0;
	char *rest;
	for (char *word = strtok_r(line, " \r", &rest); word != NULL && words->count < MAX_WORDS;
		word = strtok_r(NULL, " \r", &rest)) {
		char *equals = strchr(word, '=');
		if (equals != NULL)
			*equals++ = 0;
		words->name[words->count] = word;
		words->value[words->count++] = equals;
	}
}

static const char *text_of(const struct words *words, const char *name, const char *otherwise)
{
	for (int i = 1; i < words->count; i++)
		if (strcmp(words->name[i], name) == 0)
			return words->value[i] == NULL ? "1" : words->value[i];
	return otherwise;
}

static double number_of(const struct words *words, const char *name, double otherwise)
{
	const char *text = text_of(words, name, NULL);
	return text == NULL ? otherwise : strtod(text, NULL);
}

static bool parse_address(const char *text, unsigned port, struct sockaddr_storage *address, socklen_t *length)
{
	*address = (struct sockaddr_storage){0};
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		*length = sizeof *four;
	} else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*length = sizeof *six;
	} else {
		print_error("no address: %s", text);
		return false;
	}
	return true;
}

/* `blob=/file offset=0 length=100`: offset and length belong to the file that they follow. */
static bool parse_blob(const struct words *words, const char *name, struct blob *blob)
{
	for (int i = 1; i < words->count; i++) {
		if (strcmp(words->name[i], name) != 0 || words->value[i] == NULL)
			continue;
		size_t offset = 0, length = 0;
		for (int k = i + 1; k < words->count && words->value[k] != NULL; k++) {
			if (strcmp(words->name[k], "offset") == 0)
				offset = strtoull(words->value[k], NULL, 10);
			else if (strcmp(words->name[k], "length") == 0)
				length = strtoull(words->value[k], NULL, 10);
			else
				break;
		}
		return blob_open(words->value[i], offset, length, blob);
	}
	return true;
}

static void add_own(void *context, uint32_t number)
{
	struct session *session = context;
	session->own_count += bitmap_add(&session->own, number);
}

static void ignore(void *context, uint32_t number)
{
	(void)context;
	(void)number;
}

static void command_session(const struct words *words)
{
	struct session *session = session_new();
	uint32_t router_id = 0;
	if (!parse_address(text_of(words, "local", "127.0.0.1"), 0, &session->local, &session->local_length)
		|| !parse_blob(words, "blob", &session->table) || !parse_blob(words, "again", &session->again)
		|| !parse_blob(words, "withdraw", &session->withdraw))
		return;
	if (inet_pton(AF_INET, text_of(words, "routerid", "10.0.0.1"), &router_id) != 1)
		print_error("no router ID: %s", text_of(words, "routerid", ""));
	session->open = (struct open_fields){
		.as = (uint32_t)number_of(words, "as", 65000),
		.hold = (uint16_t)number_of(words, "hold", 180),
		.router_id = ntohl(router_id),
		.ipv4 = number_of(words, "ipv4", 1) != 0,
		.ipv6 = number_of(words, "ipv6", 0) != 0,
	};
	session->is_receiver = number_of(words, "receive", 0) != 0;
	session->rate = (uint32_t)number_of(words, "rate", 0);
	/* Numbers for all prefixes now, before anything is measured. */
	if (session->is_receiver)
		blob_prefixes(session->table, true, add_own, session);
	else
		blob_prefixes(session->table, true, ignore, NULL);
	blob_prefixes(session->again, true, ignore, NULL);
}

static void command_target(const struct words *words)
{
	parse_address(text_of(words, "address", "127.0.0.1"), (unsigned)number_of(words, "port", 179), &target, &target_length);
}

static void command_connect(const struct words *words, bool resend)
{
	if (target_length == 0)
		print_error("connect: no target");
	else
		dialer_start((int)number_of(words, "window", 0), number_of(words, "resend", resend) != 0);
}

static void command_send(void)
{
	clock_start();
	for (int i = 0; i < session_count; i++)
		if (sessions[i]->state == ESTABLISHED)
			session_send_table(sessions[i]);
}

static void command_expect(const struct words *words)
{
	bool only_fast = strcmp(text_of(words, "readers", "all"), "fast") == 0;
	expect((uint32_t)number_of(words, "count", 0), number_of(words, "except-own", 0) != 0, only_fast);
}

static void command_drop(const struct words *words)
{
	int first = 0, last = session_count - 1;
	const char *range = text_of(words, "sessions", NULL);
	if (range != NULL) {
		char *end;
		first = last = (int)strtol(range, &end, 10);
		if (*end == '-')
			last = (int)strtol(end + 1, NULL, 10);
	}
	if (first < 0 || last >= session_count) {
		print_error("drop: no sessions %s", range == NULL ? "" : range);
		return;
	}
	for (int i = first; i <= last; i++)
		session_drop(sessions[i], number_of(words, "hard", 0) != 0);
}

static void command_churn(const struct words *words)
{
	int number = (int)number_of(words, "session", 0);
	if (number < 0 || number >= session_count)
		print_error("churn: no session %d", number);
	else
		churn_start(sessions[number], (uint32_t)number_of(words, "events", 1), number_of(words, "interval", 100) / 1000);
}

/* False: enough. */
static bool carry_out(char *line)
{
	struct words words;
	split(line, &words);
	const char *command = words.count == 0 ? "" : words.name[0];
	if (strcmp(command, "quit") == 0)
		return false;
	if (strcmp(command, "target") == 0)
		command_target(&words);
	else if (strcmp(command, "session") == 0)
		command_session(&words);
	else if (strcmp(command, "connect") == 0)
		command_connect(&words, false);
	else if (strcmp(command, "reconnect") == 0)
		command_connect(&words, true);
	else if (strcmp(command, "send") == 0)
		command_send();
	else if (strcmp(command, "expect") == 0)
		command_expect(&words);
	else if (strcmp(command, "clock") == 0)
		clock_start();
	else if (strcmp(command, "drop") == 0)
		command_drop(&words);
	else if (strcmp(command, "churn") == 0)
		command_churn(&words);
	else if (strcmp(command, "pace") == 0)
		pace = number_of(&words, "share", 0.005);
	else if (strcmp(command, "stats") == 0)
		print_stats();
	else if (strcmp(command, "wait") == 0)
		is_waiting = true;
	else if (command[0] != 0 && command[0] != '#')
		print_error("no such command: %s", command);
	return true;
}

bool commands_read(void)
{
	enum { CHUNK = 65536 };
	if (input_room < input_length + CHUNK) {
		input_room = input_length + 2 * CHUNK;
		input = allocate(input, input_room, 1);
	}
	ssize_t octets = read(STDIN_FILENO, input + input_length, CHUNK);
	if (octets < 0)
		return errno == EAGAIN || errno == EINTR;
	/* The last line may lack its end. */
	if (octets == 0)
		input[input_length++] = '\n';
	input_length += (size_t)octets;
	return octets > 0;
}

bool commands_run(void)
{
	size_t at = 0;
	bool goes_on = true;
	while (goes_on) {
		if (is_waiting && (dialer_is_busy() || is_expecting() || is_churning))
			break;
		is_waiting = false;
		char *end = at == input_length ? NULL : memchr(input + at, '\n', input_length - at);
		if (end == NULL)
			break;
		*end = 0;
		char *line = input + at;
		at = (size_t)(end - input) + 1;
		goes_on = carry_out(line);
	}
	input_length -= at;
	if (at > 0)
		memmove(input, input + at, input_length);
	return goes_on;
}

bool commands_are_left(void)
{
	return is_waiting || input_length > 0;
}
