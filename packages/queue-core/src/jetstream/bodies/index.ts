// Large bodies, stored apart from their calls in NATS' object store: written, read, and removed when nothing needs them.

export { bodySpace } from '../../bodies/index.ts';
export { BodyConnection } from './body-connection.ts';
export { BodyPace } from './body-pace.ts';
export { BodyRoom, type RoomShare } from './body-room.ts';
export { BodyStore, type RemoveResult } from './body-store.ts';
export { BodySweeper } from './body-sweeper.ts';
export { BodyUpload, uploadBytes } from './body-upload.ts';
export { BodyError, readBytes } from './read-body.ts';
