// Erases what is kept of an ended call.

export { CallEraser, type EraseResult } from './call-eraser.ts';
