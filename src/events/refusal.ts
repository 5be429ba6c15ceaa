/** Why a request is not taken, as its sender is told (RFC 9457, "problem details"). */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message what is wrong, and the cure */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }

  response(): Response {
    const headers = { 'content-type': 'application/problem+json', ...this.headers };
    return new Response(JSON.stringify({ status: this.status, detail: this.message }), {
      status: this.status,
      headers,
    });
  }
}
