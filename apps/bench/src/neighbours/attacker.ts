import type { AttackName, AttackTarget } from '@asyncfn/stack';
import { startProgram } from '../processes/index.ts';
import { command } from './control-server.ts';

export type AttackSettings = Omit<AttackTarget, 'server'>;

/** The caller that harms others, in a separate process. */
export interface Attacker extends AsyncDisposable {
  /** The name of its functions. */
  readonly url: string;
  begin(name: AttackName, settings: AttackSettings): Promise<void>;
  end(): Promise<void>;
}

export async function startAttacker(): Promise<Attacker> {
  const module = new URL('./attacker-main.js', import.meta.url);
  const program = await startProgram<{ controlPort: number; port: number }>(module, {});
  const { controlPort, port } = program.said;
  return {
    url: `http://127.0.0.1:${port}`,
    async begin(name, settings) {
      await command(controlPort, 'begin', { name, ...settings });
    },
    async end() {
      await command(controlPort, 'end', {});
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
