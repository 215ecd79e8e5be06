/*
 * A disk to test with. Loaded before libc (LD_PRELOAD), it stands in for the sync calls of one process, for the files of the
 * folder that the process was started in. DISK_SHIM names a folder beside it, where all is that disk.ts and this program tell each other:
 *
 *   control   how the disk behaves: a line for each rule. Replaced at will while the process runs.
 *   syncs     a line for each sync that has begun: the call, the thread, the file, what becomes of it.
 *   names     which file each name in the folder has led to since the folder was synced last.
 *   KEY.log   what is safe of the file with this key: for each sync the blocks that it has made so.
 *
 * Rules, where N counts the syncs of files whose path ends in SUFFIX, from when the control file was written (1: each of them):
 *
 *   keep                   keeps what is synced, so that a test can cut the power. Holds for the life of the process.
 *   delay MICROSECONDS     each sync takes so much longer
 *   hold N SUFFIX          from the Nth on they wait until this rule is gone
 *   fail N SUFFIX          from the Nth on they fail with EIO, and what they should have written counts as written: as on Linux, a
 *                          later sync says that all is well
 *   lie N SUFFIX           from the Nth on they say that all is well, and nothing was kept
 *   die-before N SUFFIX    the Nth kills the process, with nothing kept
 *   die-after N SUFFIX     the Nth kills the process once all is kept
 *   full                   nothing can be written, as where a file system writes nothing in its old place
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 4096
#define MAX_RULES 16
#define KEPT 0x5450454bu    /* "KEPT": on the disk */
#define DROPPED 0x504f5244u /* "DROP": the system takes it for written, and the disk does not have it */

/* A record of a log: this, then for each block its number and its bytes, then `kind` again. */
struct head {
  uint32_t kind, blocks;
  uint64_t size; /* of the whole file, in bytes */
};

struct block {
  uint64_t number;
  unsigned char bytes[BLOCK];
};

/* A file, as the system knows it: what it takes for written, and what was written again since. */
struct file {
  char key[64];
  unsigned char *clean;    /* its content, `blocks` of them */
  unsigned char *written;  /* for each block: by this process, since the last sync */
  uint64_t *captured;      /* for each block: the number of the sync that it was last written by */
  uint64_t blocks, size, sized;
  int log;
  struct file *next;
};

/* What one sync found to write, as of its beginning. */
struct capture {
  uint64_t number, size, count;
  struct block *blocks;
};

struct behaviour {
  int hold, fail, lie, die_before, die_after;
  long delay_us;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX], state[PATH_MAX];
static int keeping;
static struct file *files;
static uint64_t syncs;

static char rules[BLOCK];
static struct stat rules_as_of;
static long matched[MAX_RULES];

static void *checked(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

static int open_beside(const char *name, const char *extension, int flags) {
  char path[PATH_MAX + 128];
  snprintf(path, sizeof path, "%s/%s%s", state, name, extension);
  return open(path, flags | O_CLOEXEC, 0600);
}

static void write_all(int fd, const void *from, size_t length) {
  for (const char *at = from; length > 0;) {
    ssize_t done = write(fd, at, length);
    if (done < 0) abort();
    at += done;
    length -= (size_t)done;
  }
}

/* ---- rules ---- */

static void read_rules(void) {
  char path[PATH_MAX + 16];
  struct stat found;
  snprintf(path, sizeof path, "%s/control", state);
  if (stat(path, &found) != 0) { /* whoever had this disk has gone */
    rules[0] = '\0';
    return;
  }
  if (found.st_ino == rules_as_of.st_ino && found.st_mtim.tv_nsec == rules_as_of.st_mtim.tv_nsec &&
      found.st_mtim.tv_sec == rules_as_of.st_mtim.tv_sec)
    return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t length = read(fd, rules, sizeof rules - 1);
  close(fd);
  rules[length < 0 ? 0 : length] = '\0';
  rules_as_of = found;
  memset(matched, 0, sizeof matched);
}

static int ends_in(const char *text, const char *suffix) {
  size_t length = strlen(text), end = strlen(suffix);
  return length >= end && strcmp(text + length - end, suffix) == 0;
}

static struct behaviour behaviour_for(const char *path) {
  struct behaviour found = {0};
  char copy[sizeof rules], *rest = copy;
  read_rules();
  memcpy(copy, rules, sizeof rules);
  for (int rule = 0; rule < MAX_RULES; rule++) {
    char word[32] = "", suffix[256] = "", *line = strsep(&rest, "\n");
    long from = 0;
    if (line == NULL) break;
    if (sscanf(line, "%31s %ld %255s", word, &from, suffix) < 2) continue;
    if (strcmp(word, "delay") == 0) found.delay_us = from;
    if (!ends_in(path, suffix)) continue;
    long count = ++matched[rule];
    if (count < from) continue;
    if (strcmp(word, "hold") == 0) found.hold = 1;
    if (strcmp(word, "fail") == 0) found.fail = 1;
    if (strcmp(word, "lie") == 0) found.lie = 1;
    if (strcmp(word, "die-before") == 0) found.die_before = 1;
    if (strcmp(word, "die-after") == 0) found.die_after = 1;
  }
  return found;
}

static int has_rule(const char *word) {
  pthread_mutex_lock(&mutex);
  read_rules();
  int has = strstr(rules, word) != NULL;
  pthread_mutex_unlock(&mutex);
  return has;
}

/* ---- files ---- */

/* The number of a file is used again once it is gone; with the time at which it was made it is not. */
static int key_of(int fd, const char *name, char key[64], mode_t *mode, uint64_t *size) {
  struct statx found;
  if (statx(fd, name, AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return -1;
  long long made = found.stx_mask & STATX_BTIME ? found.stx_btime.tv_sec * 1000000000LL + found.stx_btime.tv_nsec : 0;
  snprintf(key, 64, "%llu-%lld", (unsigned long long)found.stx_ino, made);
  *mode = found.stx_mode;
  *size = found.stx_size;
  return 0;
}

/* The path of what is open, if it is in the folder or the folder itself. */
static int path_of(int fd, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  size_t base = strlen(folder);
  return strncmp(path, folder, base) == 0 && (path[base] == '/' || path[base] == '\0');
}

static void grow(struct file *file, uint64_t blocks) {
  if (blocks <= file->blocks) return;
  uint64_t more = blocks - file->blocks;
  file->clean = checked(realloc(file->clean, blocks * BLOCK));
  file->written = checked(realloc(file->written, blocks));
  file->captured = checked(realloc(file->captured, blocks * sizeof *file->captured));
  memset(file->clean + file->blocks * BLOCK, 0, more * BLOCK);
  memset(file->written + file->blocks, 0, more);
  memset(file->captured + file->blocks, 0, more * sizeof *file->captured);
  file->blocks = blocks;
}

static uint64_t blocks_of(uint64_t size) { return (size + BLOCK - 1) / BLOCK; }

static void resize(struct file *file, uint64_t size) {
  if (size < file->size) memset(file->clean + size, 0, file->size - size);
  grow(file, blocks_of(size));
  file->size = size;
}

/* What an earlier process has left; half a record at its end is one that this process's death broke off. */
static void load(struct file *file) {
  struct head head;
  uint32_t end;
  off_t at = 0;
  struct block block;
  while (pread(file->log, &head, sizeof head, at) == sizeof head) {
    off_t length = (off_t)(sizeof head + head.blocks * sizeof block);
    if (pread(file->log, &end, sizeof end, at + length) != sizeof end || end != head.kind) break;
    resize(file, head.size);
    for (uint32_t n = 0; n < head.blocks; n++) {
      off_t from = at + (off_t)sizeof head + (off_t)n * (off_t)sizeof block;
      if (pread(file->log, &block, sizeof block, from) != sizeof block) abort();
      grow(file, block.number + 1);
      memcpy(file->clean + block.number * BLOCK, block.bytes, BLOCK);
    }
    at += length + (off_t)sizeof end;
  }
  if (ftruncate(file->log, at) != 0) abort();
}

static struct file *file_of(const char *key) {
  for (struct file *file = files; file != NULL; file = file->next)
    if (strcmp(file->key, key) == 0) return file;
  struct file *file = checked(calloc(1, sizeof *file));
  snprintf(file->key, sizeof file->key, "%s", key);
  file->log = open_beside(key, ".log", O_RDWR | O_CREAT | O_APPEND);
  if (file->log < 0) abort();
  load(file);
  file->next = files;
  return files = file;
}

/* All that is not known to be written. It is read by the caller's own descriptor: to close another would end SQLite's locks. */
static void capture(struct file *file, int fd, uint64_t size, struct capture *into) {
  struct block block;
  into->number = ++syncs;
  into->size = size;
  grow(file, blocks_of(size));
  for (block.number = 0; block.number < blocks_of(size); block.number++) {
    ssize_t length = pread(fd, block.bytes, BLOCK, (off_t)(block.number * BLOCK));
    if (length < 0) abort(); /* opened for writing alone: this program would have to learn it */
    memset(block.bytes + length, 0, BLOCK - (size_t)length);
    int same = memcmp(block.bytes, file->clean + block.number * BLOCK, BLOCK) == 0;
    if (same && !file->written[block.number]) continue;
    file->written[block.number] = 0;
    if ((into->count & 63) == 0) into->blocks = checked(realloc(into->blocks, (into->count + 64) * sizeof block));
    into->blocks[into->count++] = block;
  }
}

/* Syncs of one file may end in another order than they began: a later one's blocks stay. */
static void keep(struct file *file, const struct capture *captured, uint32_t kind) {
  if (captured->number > file->sized) {
    resize(file, captured->size);
    file->sized = captured->number;
  }
  size_t most = sizeof(struct head) + captured->count * sizeof(struct block) + sizeof kind;
  unsigned char *record = checked(malloc(most)), *at = record + sizeof(struct head);
  struct head head = {.kind = kind, .size = file->size};
  for (uint64_t n = 0; n < captured->count; n++) {
    const struct block *block = &captured->blocks[n];
    if (block->number >= blocks_of(file->size) || file->captured[block->number] > captured->number) continue;
    file->captured[block->number] = captured->number;
    memcpy(file->clean + block->number * BLOCK, block->bytes, BLOCK);
    memcpy(at, block, sizeof *block);
    at += sizeof *block;
    head.blocks++;
  }
  memcpy(record, &head, sizeof head);
  memcpy(at, &kind, sizeof kind);
  write_all(file->log, record, (size_t)(at - record) + sizeof kind);
  free(record);
}

/* One process at a time: several run in the folder, and the list of who was slower would stand for that of who came later. */
static void keep_names(void) {
  char key[64], new[PATH_MAX + 16], old[PATH_MAX + 16];
  mode_t mode;
  uint64_t size;
  snprintf(new, sizeof new, "%s/names.new", state);
  snprintf(old, sizeof old, "%s/names", state);
  int turn = open_beside("names", ".turn", O_WRONLY | O_CREAT);
  if (turn < 0 || flock(turn, LOCK_EX) != 0) abort();
  FILE *out = checked(fopen(new, "we"));
  DIR *all = checked(opendir(folder));
  for (struct dirent *each; (each = readdir(all)) != NULL;)
    if (key_of(dirfd(all), each->d_name, key, &mode, &size) == 0 && S_ISREG(mode))
      fprintf(out, "%s %s\n", key, each->d_name);
  closedir(all);
  if (fclose(out) != 0 || rename(new, old) != 0) abort();
  close(turn);
}

/* ---- calls ---- */

static void note(const char *call, const char *path, const char *what) {
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%s %s %s %s\n", call, gettid() == getpid() ? "main" : "thread",
                        path + strlen(folder) + (path[strlen(folder)] == '/'), what);
  int fd = open_beside("syncs", "", O_WRONLY | O_CREAT | O_APPEND);
  if (fd < 0) abort();
  write_all(fd, line, (size_t)length);
  close(fd);
}

static const char *outcome_of(const struct behaviour *how) {
  if (how->die_before) return "died before";
  if (how->fail) return "failed";
  if (how->lie) return "lied";
  return how->die_after ? "died after" : "done";
}

static int sync_it(int fd, const char *call, long number) {
  char path[PATH_MAX], key[64];
  mode_t mode;
  uint64_t size;
  struct file *file = NULL;
  struct capture captured = {0};
  if (state[0] == '\0' || !path_of(fd, path)) return (int)syscall(number, fd);

  /* The size is of the moment at which the blocks are taken: an older one would cut off what a sync in between has kept. */
  pthread_mutex_lock(&mutex);
  if (key_of(fd, "", key, &mode, &size) != 0) abort();
  struct behaviour how = behaviour_for(path);
  note(call, path, how.hold ? "held" : outcome_of(&how));
  if (keeping && S_ISREG(mode) && !how.lie) capture(file = file_of(key), fd, size, &captured);
  pthread_mutex_unlock(&mutex);

  while (how.hold && has_rule("hold")) usleep(500);
  if (how.delay_us > 0) usleep((useconds_t)how.delay_us);
  if (how.die_before) kill(getpid(), SIGKILL);

  pthread_mutex_lock(&mutex);
  if (file != NULL) keep(file, &captured, how.fail ? DROPPED : KEPT);
  if (keeping && S_ISDIR(mode) && path[strlen(folder)] == '\0' && !how.fail && !how.lie) keep_names();
  if (how.die_after) kill(getpid(), SIGKILL);
  pthread_mutex_unlock(&mutex);
  free(captured.blocks);
  if (how.fail) errno = EIO;
  if (how.fail || how.lie) return how.fail ? -1 : 0;
  return keeping ? 0 : (int)syscall(number, fd);
}

int fsync(int fd) { return sync_it(fd, "fsync", SYS_fsync); }

int fdatasync(int fd) { return sync_it(fd, "fdatasync", SYS_fdatasync); }

/* What SQLite writes a file with. */
ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
  char path[PATH_MAX], key[64];
  mode_t mode;
  uint64_t size;
  if (state[0] == '\0' || !path_of(fd, path) || key_of(fd, "", key, &mode, &size) != 0 || !S_ISREG(mode))
    return syscall(SYS_pwrite64, fd, from, length, at);
  if (has_rule("full")) {
    errno = ENOSPC;
    return -1;
  }
  ssize_t done = syscall(SYS_pwrite64, fd, from, length, at);
  if (keeping && done > 0) {
    pthread_mutex_lock(&mutex);
    struct file *file = file_of(key);
    uint64_t end = blocks_of((uint64_t)at + (uint64_t)done);
    grow(file, end);
    memset(file->written + at / BLOCK, 1, end - (uint64_t)at / BLOCK);
    pthread_mutex_unlock(&mutex);
  }
  return done;
}

__attribute__((constructor)) static void begin(void) {
  const char *beside = getenv("DISK_SHIM");
  if (beside == NULL || getcwd(folder, sizeof folder) == NULL) return;
  snprintf(state, sizeof state, "%s", beside);
  keeping = has_rule("keep");
}
