import { type Shift, work } from './shift.ts';

/** A process of its own, started by `cli.ts`: is sent a shift, and sends its reports. */
process.once('message', (shift: Shift) => {
  void work(shift, (report) => process.send?.(report)).then(() => process.disconnect());
});
