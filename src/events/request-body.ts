import { Refusal } from './refusal.ts';

/**
 * The body of a request, of which no more is kept than may be.
 *
 * @param limit in bytes
 * @throws Refusal 413 where it is longer, as soon as that is known; 400 where it breaks off
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const tooLong = new Refusal(413, `The body is longer than ${limit} bytes. Send fewer events at once, or less data.`);
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLong;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > limit) throw tooLong; // Which cancels the rest.
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, 'The body broke off. Send the request again.');
  }
  return Buffer.concat(chunks);
}
