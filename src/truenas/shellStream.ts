import { Duplex } from 'node:stream';
import type WebSocket from 'ws';
import type { PixelsError } from '../sandbox/errors';

const BUFFER_BYTES = 256 * 1024;

/** A longer message is split: 25.x reads it into the terminal in one go. */
const LONGEST_FRAME_BYTES = 32 * 1024;

/** How long a hang-up may take to be acknowledged. */
const HANGUP_MS = 1_000;

const NO_CLOSE_FRAME = 1006;

/**
 * A terminal's bytes, both ways, over a WebSocket that is open; binary frames only (a text frame ends TrueNAS' shell).
 * Ends when the server closes the socket, with an error when it breaks off instead. Destroying it hangs up. What is
 * written after the end is dropped. Ending the writable side tells the server nothing: a terminal has no end of input.
 * @param broken why the socket broke.
 */
export function streamOver(socket: WebSocket, broken: (code: number) => PixelsError): Duplex {
  const stream = new Duplex({
    readableHighWaterMark: BUFFER_BYTES,
    writableHighWaterMark: BUFFER_BYTES,
    read: () => socket.resume(),
    write: (chunk: Buffer, _, done) => send(socket, chunk, done),
    writev: (chunks, done) => send(socket, Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done),
    destroy: (error, done) => {
      hangUp(socket);
      done(error);
    },
  });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary && !stream.destroyed && !stream.push(data)) socket.pause();
  });
  socket.once('close', (code) => {
    if (code === NO_CLOSE_FRAME) stream.destroy(broken(code));
    else stream.push(null);
  });
  stream.once('end', () => stream.destroy());
  stream.on('error', ignore); // nobody has to listen to it
  return stream;
}

/** Sends frame after frame, each once the system has taken the one before. */
function send(socket: WebSocket, bytes: Buffer, done: () => void): void {
  socket.send(bytes.subarray(0, LONGEST_FRAME_BYTES), { binary: true }, (error) => {
    if (error || bytes.length <= LONGEST_FRAME_BYTES) done();
    else send(socket, bytes.subarray(LONGEST_FRAME_BYTES), done);
  });
}

/** Also a socket that nobody reads from must see the server's answer to the close frame. */
function hangUp(socket: WebSocket): void {
  if (socket.readyState === socket.CLOSED) return;
  socket.resume();
  socket.close();
  const limit = setTimeout(() => socket.terminate(), HANGUP_MS).unref();
  socket.once('close', () => clearTimeout(limit));
}

function ignore(): void {
  // whoever reads has been told
}
