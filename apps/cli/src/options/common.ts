import type { Command } from 'commander';
import type { TargetOptions } from '../profile/index.ts';

export interface JsonChoice {
  readonly json?: true;
}

/** What every command that talks to a gateway is given. */
export interface Common extends TargetOptions, JsonChoice {}

export function jsonOption(command: Command): Command {
  return command.option('--json', 'print JSON, for programs');
}

/** The options of a command that talks to a gateway. */
export function gatewayOptions(command: Command): Command {
  return jsonOption(command)
    .option('--url <url>', 'the gateway (default: ASYNCFN_URL, the profile, or http://127.0.0.1:8080)')
    .option('--profile <name>', 'the profile to use (default: ASYNCFN_PROFILE, or the default of the profile file)');
}
