// The load generator.

export { type LoadResult, type LoadSettings, loadFigures, putLoad, toMeasurement } from './load.ts';
