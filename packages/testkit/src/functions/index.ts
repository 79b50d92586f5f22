// Functions to call, and how many calls each of them had at once.

export { echo, type Gate, gate, hash, type StatusOptions, sleep, status } from './function-behaviours.ts';
export { jainIndex, Occupancy } from './occupancy.ts';
export { startTestFunction, TestFunction } from './test-function.ts';
