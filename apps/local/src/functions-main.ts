import process from 'node:process';
import { loadAndRun } from '@asyncfn/service-kit/load-and-run';

await loadAndRun(process, () => import('@asyncfn/local-stack/samples'));
