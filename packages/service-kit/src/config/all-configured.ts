import { ConfigError } from './config.ts';

/**
 * The parts of a configuration, once all are there.
 *
 * @throws ConfigError that lists the problems of all of them; any other error at once
 */
export async function allConfigured<const P extends readonly unknown[]>(
  parts: P,
): Promise<{ -readonly [K in keyof P]: Awaited<P[K]> }> {
  const failures: ConfigError[] = [];
  const settled = await Promise.all(
    parts.map((part) =>
      Promise.resolve(part).catch((error: unknown) => {
        if (!(error instanceof ConfigError)) {
          throw error;
        }
        failures.push(error);
      }),
    ),
  );
  if (failures.length > 0) {
    throw new ConfigError(
      failures.flatMap(({ problems }) => problems),
      { cause: failures[0]?.cause },
    );
  }
  return settled as { -readonly [K in keyof P]: Awaited<P[K]> };
}
