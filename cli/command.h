/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H
/* command.h - the subcommands; argv[0] is the subcommand's name. */
#include "report.h"

int command_copy(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_limits(int argc, char **argv);

/* Print the error and end the process at once. */
__attribute__((noreturn)) void command_abandon(const struct report *report);
#endif
