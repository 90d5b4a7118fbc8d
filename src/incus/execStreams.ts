import { Readable, Writable } from 'node:stream';
import type WebSocket from 'ws';

/** What is kept of a command's output before the sandbox is made to wait. */
const OUTPUT_BUFFER_BYTES = 1024 * 1024;
const INPUT_BUFFER_BYTES = 256 * 1024;

/** Resolves once the socket is open, or will never be: sending is safe then, into the void if need be. */
export function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('open', resolve);
    socket.once('close', () => resolve());
  });
}

/** Resolves when everything that the command printed has arrived, or when nothing can arrive any more. */
export function ended(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('message', (_, isBinary) => isBinary || resolve());
    socket.once('close', () => resolve());
  });
}

/**
 * A command's output stream. Binary frames are data; a text frame is Incus' end of stream. It also ends, without an error,
 * when the connection breaks: the exit code says so.
 * @param lastWords comes after everything else.
 * @param closesAtEnd for a terminal's stream: Incus ends its operation only after the client has closed its side. Of another
 *   command it takes a closed standard output for the client's end, and kills it.
 */
export function outputFrom(
  socket: WebSocket,
  lastWords: Promise<string>,
  { closesAtEnd }: { closesAtEnd: boolean },
): Readable {
  const stream = new Readable({ highWaterMark: OUTPUT_BUFFER_BYTES, read: () => socket.resume() });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      if (!stream.push(data)) socket.pause();
    } else if (closesAtEnd) socket.close();
  });
  void Promise.all([lastWords, ended(socket)]).then(([words]) => {
    if (words !== '') stream.push(Buffer.from(words));
    stream.push(null);
  });
  return stream;
}

/**
 * A command's input stream. Every write waits until the system has taken it. Once the command has ended, the stream is
 * destroyed, without an error: what is still written is dropped, as into a pipe that nobody reads.
 * @param end what tells the command that no more comes; a string is sent as a text frame.
 */
export function inputTo(socket: WebSocket, end: string | Buffer): Writable {
  const ready = opened(socket);
  const stream = new Writable({
    highWaterMark: INPUT_BUFFER_BYTES,
    write: (chunk: Buffer, _, done) => void ready.then(() => socket.send(chunk, { binary: true }, () => done())),
    final: (done) => void ready.then(() => socket.send(end, () => done())),
  });
  socket.once('close', () => stream.destroy());
  return stream;
}
