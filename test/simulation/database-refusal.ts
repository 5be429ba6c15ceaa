/** What a database answers to a statement that it does not carry out. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** The SQLSTATE. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
