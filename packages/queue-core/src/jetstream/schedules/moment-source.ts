import { type Moment, momentCodec, scheduleSubject, scheduleSubjects } from '../../schedules/index.ts';
import { type SourceOptions, toWorkDelivery, type WorkDelivery, WorkSource } from '../consume/index.ts';
import { scheduleStream } from '../layout/index.ts';

/** A moment of a schedule whose time has come, received by a worker. */
export interface MomentDelivery extends WorkDelivery<Moment> {
  /** When the broker made it due, the same for each delivery: Unix time in nanoseconds, decimal. */
  readonly dueSince: string;
}

/** Takes the moments of schedules whose time has come, each by one worker. */
export class MomentSource extends WorkSource<MomentDelivery> {
  constructor(options: SourceOptions) {
    super(options, {
      stream: scheduleStream,
      consumer: 'schedules',
      filter: scheduleSubjects.due,
      toDelivery: (message) => ({
        ...toWorkDelivery(message, momentCodec, ({ name }) => scheduleSubject('due', name)),
        dueSince: String(message.info.timestampNanos),
      }),
    });
  }
}
