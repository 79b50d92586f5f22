import { parseDuration } from '@asyncfn/units';
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false };
const text = Type.String({ minLength: 1 });

/** `discover` of a functions file. `discoverProblems` checks its values and says what is wrong. */
export const DiscoverSettings = Type.Object(
  {
    openfaas: Type.Object(
      {
        url: Type.String(),
        user: Type.Optional(text),
        tokenFile: Type.Optional(text),
        every: Type.Optional(Type.String({ format: 'duration' })),
      },
      closed,
    ),
  },
  closed,
);

export type DiscoverContent = Static<typeof DiscoverSettings>;

/** The shortest and the longest time between two looks, in milliseconds. */
export const everyRangeMs = [1_000, 86_400_000] as const;
export const everyExpectation = 'must be a duration from 1s to 1d, for example 30s';

export const discoverExpectations: readonly (readonly [setting: string, expectation: string])[] = [
  ['discover', 'must be a map with openfaas'],
  ['openfaas', 'must be a map with url, and may have user, tokenFile and every'],
  ['user', 'must be the name of a user of that OpenFaaS'],
  ['tokenFile', 'must be the path of a file with a password of that OpenFaaS'],
  ['every', everyExpectation],
];

/** An OpenFaaS whose functions are ours as well. */
export interface OpenfaasSource {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of HTTP basic, for the list alone. */
  readonly user: string;
  /** Path of the file with the password; undefined: the list needs none. */
  readonly tokenFile: string | undefined;
  /** Time between two looks, in milliseconds. */
  readonly everyMs: number;
}

/** Expects settings without problems. */
export function toSource({ openfaas }: DiscoverContent): OpenfaasSource {
  const { url, user = 'admin', tokenFile, every = '30s' } = openfaas;
  return { url: url.replace(/\/+$/, ''), user, tokenFile, everyMs: parseDuration(every) ?? everyRangeMs[0] };
}
