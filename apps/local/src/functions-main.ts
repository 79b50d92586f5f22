import process from 'node:process';
import { integer, processConfig, readVersion, runProcess, text } from '@asyncfn/service-kit';
import { HttpListener } from './http-listener.ts';
import { createSampleFunctions } from './samples/sample-functions.ts';

/** The sample functions as a process of their own. */
const schema = {
  host: text({ env: 'HOST', default: '0.0.0.0', doc: 'Address to listen on.' }),
  port: integer({ env: 'PORT', default: 8091, max: 65_535, doc: 'Port to listen on; 0 picks a free one.' }),
  ...processConfig,
};

await runProcess({
  process,
  name: 'functions',
  version: readVersion(import.meta.url),
  schema,
  create: ({ host, port }, { logger }) => {
    const bind = { host, port, variable: 'PORT', what: 'sample functions' };
    return new HttpListener({ handler: createSampleFunctions(), bind, logger });
  },
});
