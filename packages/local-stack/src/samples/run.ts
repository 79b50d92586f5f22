import { integer, processConfig, readVersion, runProcess, text } from '@asyncfn/service-kit';
import { HttpListener } from '../http-listener.ts';
import { createSampleFunctions } from './sample-functions.ts';

/** The sample functions as a process of their own. */
const schema = {
  host: text({ env: 'HOST', default: '0.0.0.0', doc: 'Address to listen on.' }),
  port: integer({ env: 'PORT', default: 8091, max: 65_535, doc: 'Port to listen on; 0 picks a free one.' }),
  ...processConfig,
};

/** Runs the sample functions until it is stopped. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runProcess({
    process,
    name: 'functions',
    version: readVersion(new URL('..', import.meta.url).href),
    schema,
    create: ({ host, port }, { logger }) => {
      const bind = { host, port, variable: 'PORT', what: 'sample functions' };
      return new HttpListener({ handler: createSampleFunctions(), bind, logger });
    },
  });
}
