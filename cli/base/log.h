/* SPDX-License-Identifier: MIT */
#ifndef CLI_LOG_H
#define CLI_LOG_H
/* log.h - lines of a service on standard error, and what systemd wants to hear of it. */

/* As in syslog(3). */
enum log_level { LOG_ERROR = 3, LOG_REFUSED = 4, LOG_NOTE = 6 };

/*
 * One line, written at once. It begins with its level in angle brackets where the journal
 * reads it (sd-daemon(3)), else with the command's name.
 */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
						    const char *format, ...);

/* Tell the service manager, if there is one (sd_notify(3)). */
void log_notify(const char *state);
#endif
