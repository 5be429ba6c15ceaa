/** Sends messages to customers; may fail. */
export interface Mailbox {
  send(notice: Notice): Promise<void>;
}

export interface Notice {
  readonly appointmentId: string;
  readonly message: string;
}
