/** The modules whose time counts as that of one part. */
export interface PartRule {
  readonly part: string;
  /**
   * Matches the path of a module (`packages/queue-core/src/call/codec.ts`, `node_modules/pino/lib/proto.js`,
   * `node:net`).
   */
  readonly modules: RegExp;
}

/** Time that no rule matches: V8 and the kernel, called from no module that has a part. */
const others = 'other';

const garbage: PartRule = { part: 'garbage', modules: /^\(garbage collector\)$/ };
const log: PartRule = { part: 'log', modules: /\/logging\/|\/node_modules\/(pino|sonic-boom)\// };
const metrics: PartRule = { part: 'metrics', modules: /\/metrics(\/|\.ts$)|\/node_modules\/prom-client\// };
const codec: PartRule = { part: 'codec', modules: /\/queue-core\/src\/(call|records)\// };
const nats: PartRule = { part: 'NATS', modules: /\/node_modules\/@nats-io\// };
const publish: PartRule = { part: 'publish', modules: /\/jetstream\/publish\/|end-of-tick/ };

/** The parts that gateways and workers share. */
const shared = [garbage, log, metrics, codec, nats, publish];

/** From the specific to the general; the first rule that matches counts. */
export const gatewayParts: readonly PartRule[] = [
  ...shared,
  {
    part: 'checks',
    modules: /apps\/gateway\/src\/(call-headers|enqueue|auth|intake)\/|\/jetstream\/intake\/|\/chain\//,
  },
  { part: 'HTTP', modules: /apps\/gateway\/src\/http\/|^node:(_http|internal\/http)/ },
];

export const workerParts: readonly PartRule[] = [
  ...shared,
  { part: 'lanes', modules: /apps\/worker\/src\/(lanes|limiter|fairness|memory)\/|\/jetstream\/consume\// },
  { part: 'outcome', modules: /apps\/worker\/src\/(settle|storing|expiry)\/|\/queue-core\/src\/settle\// },
  { part: 'request', modules: /apps\/worker\/src\/(http|invoke|names)\/|\/node_modules\/undici\// },
  { part: 'attempt', modules: /apps\/worker\/src\/(attempts|running|tracing)\// },
];

/** The parts of the rules, in their order, and the rest. */
export function partNames(rules: readonly PartRule[]): string[] {
  return [...rules.map(({ part }) => part), others];
}

/** The part that a stack counts for: that of its innermost module which has one. */
export function partOf(modules: Iterable<string>, rules: readonly PartRule[]): string {
  for (const module of modules) {
    const rule = rules.find((each) => each.modules.test(module));
    if (rule !== undefined) {
      return rule.part;
    }
  }
  return others;
}
