/** Who may send, as it is told in the handshake of CloudEvents' "HTTP 1.1 Web Hooks for Event Delivery". */
export interface Webhook {
  /** DNS names of senders; `'*'` for all. */
  readonly origins: '*' | readonly string[];
  /** Requests a minute that they are told to keep to; default no limit. Nothing here counts them. */
  readonly rate?: number;
}

/** Answers the handshake, in which a sender asks whether it is wanted before it sends. Without the headers it is not. */
export function handshake(request: Request, webhook: Webhook | undefined): Response {
  const headers = new Headers({ allow: 'OPTIONS, POST' });
  const origin = request.headers.get('webhook-request-origin');
  if (origin !== null && webhook !== undefined && allows(webhook, origin)) {
    headers.set('webhook-allowed-origin', webhook.origins === '*' ? '*' : origin);
    headers.set('webhook-allowed-rate', webhook.rate === undefined ? '*' : String(webhook.rate));
  }
  return new Response(null, { status: 200, headers });
}

/** Names of hosts are the same in upper and lower case. */
function allows({ origins }: Webhook, origin: string): boolean {
  return origins === '*' || origins.some((it) => it.toLowerCase() === origin.toLowerCase());
}
