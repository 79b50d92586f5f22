import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../certificates/', import.meta.url);

/** Certificates that only tests trust. */
export interface TestCertificates {
  /** Of the authority that signed it, PEM. */
  readonly authority: string;
  readonly authorityFile: string;
  /** For `server.test`, `localhost`, `127.0.0.1` and `::1`, PEM. */
  readonly certificate: string;
  readonly certificateFile: string;
  readonly key: string;
  readonly keyFile: string;
  /** Of a client that the authority vouches for. */
  readonly clientFile: string;
  readonly clientKeyFile: string;
  /** A certificate that no authority has signed. */
  readonly strangerFile: string;
  readonly strangerKeyFile: string;
}

/** Reads the certificates of the tests, which `certificates/make.sh` makes. */
export function readTestCertificates(): TestCertificates {
  const [authorityFile, certificateFile, keyFile] = [pathOf('authority'), pathOf('server'), pathOf('server-key')];
  return {
    authority: readFileSync(authorityFile, 'utf8'),
    authorityFile,
    certificate: readFileSync(certificateFile, 'utf8'),
    certificateFile,
    key: readFileSync(keyFile, 'utf8'),
    keyFile,
    clientFile: pathOf('client'),
    clientKeyFile: pathOf('client-key'),
    strangerFile: pathOf('stranger'),
    strangerKeyFile: pathOf('stranger-key'),
  };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.pem`, folder));
}
