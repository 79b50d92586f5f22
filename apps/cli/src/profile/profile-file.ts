import { describeProblem, type Found, locateProblems, readYaml, shapeProblems } from '@asyncfn/checked-yaml';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const closed = { additionalProperties: false };

const Profile = Type.Object(
  {
    url: Type.String({ minLength: 1 }),
    token: Type.Optional(Type.String({ minLength: 1 })),
    tokenFile: Type.Optional(Type.String({ minLength: 1 })),
  },
  closed,
);

const ProfileFile = Type.Object(
  { default: Type.Optional(Type.String()), profiles: Type.Record(Type.String(), Profile) },
  closed,
);

export type Profile = Static<typeof Profile>;
type ProfileFile = Static<typeof ProfileFile>;

const format = Compile(ProfileFile);

const expectations: ReadonlyMap<string, string> = new Map([
  ['default', 'must be the name of a profile'],
  ['profiles', 'must be a map of profiles, each with a url'],
  ['url', 'must be the URL of a gateway: https://calls.example.com'],
  ['token', 'must be a token, in quotes if it looks like a number'],
  ['tokenFile', 'must be the path of a file that holds the token; a relative one starts at the folder of this file'],
]);

export type ParsedProfiles =
  | { readonly kind: 'profiles'; readonly file: ProfileFile }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Parses the profile file at `path`. Reports every problem at once, with its line and without a value. */
export function parseProfiles(text: string, path: string): ParsedProfiles {
  const yaml = readYaml(text);
  if (yaml.kind === 'faults') {
    return refused(
      path,
      yaml.faults.map((fault) => ({ ...fault, path: '' })),
    );
  }
  const { value } = yaml;
  if (!format.Check(value)) {
    return refused(path, locateProblems(shapeProblems(format.Errors(value), expectationOf), yaml));
  }
  const problems = contentProblems(value);
  return problems.length === 0 ? { kind: 'profiles', file: value } : refused(path, locateProblems(problems, yaml));
}

function refused(path: string, problems: ReturnType<typeof locateProblems>): ParsedProfiles {
  return { kind: 'refused', problems: problems.map((problem) => describeProblem(path, problem)) };
}

function expectationOf(keys: readonly string[]): string | undefined {
  return expectations.get(keys.length === 2 ? '' : (keys.at(-1) ?? ''));
}

function contentProblems({ default: chosen, profiles }: ProfileFile): Found[] {
  const ofDefault =
    chosen === undefined || Object.hasOwn(profiles, chosen)
      ? []
      : [{ keys: ['default'], problem: 'is the name of no profile below' }];
  const ofTokens = Object.entries(profiles)
    .filter(([, { token, tokenFile }]) => token !== undefined && tokenFile !== undefined)
    .map(([name]) => ({ keys: ['profiles', name, 'tokenFile'], problem: 'does not go with token: keep one of them' }));
  return [...ofDefault, ...ofTokens];
}
