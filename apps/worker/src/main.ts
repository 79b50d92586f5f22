import { readVersion, runProcess } from '@asyncfn/service-kit';
import { workerConfig } from './config.ts';
import { createWorker } from './service.ts';

const version = readVersion(import.meta.url);
await runProcess({ process, name: 'worker', version, schema: workerConfig, create: createWorker });
