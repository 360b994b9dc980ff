#include "generator.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Thousands of sessions share a few files. */
static struct file {
	char *path;
	const uint8_t *bytes;
	size_t length;
} *files;
static int file_count;

static bool map_file(const char *path, struct file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		print_error("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	file->length = (size_t)status.st_size;
	/* All of it now: no page is to be fetched while the clock runs. */
	void *bytes = mmap(NULL, file->length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED) {
		print_error("%s: %s", path, strerror(errno));
		return false;
	}
	file->bytes = bytes;
	file->path = strdup(path);
	return true;
}

static const struct file *file_of(const char *path)
{
	for (int i = 0; i < file_count; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	struct file file;
	if (!map_file(path, &file))
		return NULL;
	files = allocate(files, (size_t)file_count + 1, sizeof *files);
	files[file_count] = file;
	return &files[file_count++];
}

/* Counts the messages, and that way makes sure that they are some. */
static bool check(const char *path, struct blob *blob)
{
	blob->updates = 0;
	for (size_t at = 0; at < blob->length; blob->updates++) {
		int length = whole_message(blob->bytes + at, blob->length - at);
		struct update update;
		if (length <= 0 || blob->bytes[at + 18] != UPDATE || !split_update(blob->bytes + at, (size_t)length, &update)) {
			print_error("%s: no UPDATE %zu octets into the blob", path, at);
			return false;
		}
		at += (size_t)length;
	}
	return true;
}

bool blob_open(const char *path, size_t offset, size_t length, struct blob *blob)
{
	const struct file *file = file_of(path);
	if (file == NULL)
		return false;
	if (offset > file->length || length > file->length - offset) {
		print_error("%s has %zu octets only", path, file->length);
		return false;
	}
	blob->bytes = file->bytes + offset;
	blob->length = length == 0 ? file->length - offset : length;
	return check(path, blob);
}

static void run_prefixes(struct nlri run, void (*call)(void *context, uint32_t number), void *context)
{
	struct prefix prefix;
	while (next_prefix(&run, &prefix))
		call(context, find_prefix(&prefix));
}

void blob_prefixes(struct blob blob, bool announced, void (*call)(void *context, uint32_t number), void *context)
{
	for (size_t at = 0; at < blob.length;) {
		size_t length = (size_t)whole_message(blob.bytes + at, blob.length - at);
		struct update update;
		split_update(blob.bytes + at, length, &update);
		run_prefixes(announced ? update.announced : update.withdrawn, call, context);
		run_prefixes(announced ? update.mp_announced : update.mp_withdrawn, call, context);
		at += length;
	}
}
