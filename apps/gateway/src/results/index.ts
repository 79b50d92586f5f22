// Results of ended calls: their headers, and sending them to clients that may be slow, or ask for a part.

export { resultHeaders } from './result-headers.ts';
export { partOf } from './result-part.ts';
export {
  noRoomForResult,
  openResult,
  piecesOf,
  type ResultDependencies,
  sendResult,
  uncountedBytes,
} from './result-sender.ts';
