// The sample functions.

export { createSampleFunctions, SAMPLE_FUNCTIONS } from './sample-functions.ts';
