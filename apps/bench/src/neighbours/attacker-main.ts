import { type Attack, type AttackName, attacks, startAttackerServer } from '@asyncfn/stack';
import type { AttackSettings } from './attacker.ts';
import { serveCommands } from './control-server.ts';

/** A caller that harms others, with functions and receivers of its own. */
const server = await startAttackerServer();
let attack: Attack | undefined;

const controlPort = await serveCommands({
  async begin({ name, ...target }: AttackSettings & { name: AttackName }) {
    attack = await attacks[name]({ ...target, server });
  },
  end() {
    attack?.[Symbol.dispose]();
    attack = undefined;
    server.release();
    return Promise.resolve();
  },
});
process.stdout.write(`${JSON.stringify({ controlPort, port: server.port })}\n`);
