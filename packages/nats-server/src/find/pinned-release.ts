/** A release of nats-server that may be fetched. */
export interface Release {
  readonly version: string;
  /** SHA-256 of its archives in hex, by the machine that they are for: `linux-amd64`. */
  readonly checksums: Readonly<Record<string, string>>;
}

/**
 * The release to fetch if no server is found. The checksums are in the source, and do not come with the archives: a
 * compromised site would serve both. Each was the same in two independent places: the Dockerfiles of the official
 * image, and projects that had checked it. A machine is left out until there are two.
 */
export const pinnedRelease: Release = {
  version: '2.15.0',
  checksums: {
    'linux-amd64': '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
    'linux-arm64': 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
    'linux-arm7': 'ec5f4689d017e07cfa18442e10da051c0f3f9dd2e7f4dc7cdb55a11f1303c952',
    'darwin-amd64': '5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95',
    'darwin-arm64': 'e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8',
    'windows-amd64': '2d0861dc2ca3567d17f7d19611d7b346cc2ccbd7086a0a77cc957a2c71663200',
  },
};
