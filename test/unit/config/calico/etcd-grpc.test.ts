/** The gRPC client before servers that are no etcd, or a broken one. */

import { createServer as createHttpServer } from "node:http";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcConnection, GrpcError } from "../../../../src/config/calico/datastore/etcd/grpc.ts";
import { systemClock } from "../../../harness/system-clock.ts";

const NO_TLS = { ca: undefined, cert: undefined, key: undefined };
const cleanups: (() => void)[] = [];
const connections: GrpcConnection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  for (const clean of cleanups.splice(0)) clean();
});

async function listen(server: Server | Http2Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function open(endpoint: string): Promise<GrpcConnection> {
  const connection = await GrpcConnection.open(endpoint, NO_TLS, systemClock, new AbortController().signal);
  connections.push(connection);
  return connection;
}

/** A server that answers every call so. */
async function answering(answer: (stream: ServerHttp2Stream) => void): Promise<GrpcConnection> {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    answer(stream);
  });
  server.on("session", (session) => {
    session.on("error", () => undefined);
    cleanups.push(() => session.destroy());
  });
  return open(await listen(server));
}

function frame(text: string, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

const OK = { ":status": 200, "content-type": "application/grpc" };

/** In these pieces, and with this status at the end. */
function reply(stream: ServerHttp2Stream, pieces: readonly Buffer[], status?: Record<string, string>): void {
  stream.respond(OK, { waitForTrailers: true });
  stream.on("wantTrailers", () => (status === undefined ? stream.close() : stream.sendTrailers(status)));
  for (const piece of pieces) stream.write(piece);
  stream.end();
}

describe("calls", () => {
  it("give the message, however it is cut", async () => {
    const whole = frame("hello");
    const connection = await answering((stream) =>
      reply(
        stream,
        [...whole].map((octet) => Buffer.from([octet])),
        { "grpc-status": "0" },
      ),
    );
    expect(Buffer.from(await connection.call("/x", Buffer.from("y"))).toString()).toBe("hello");
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, number, string]>([
    [
      "a refusal",
      (s) => reply(s, [], { "grpc-status": "7", "grpc-message": "permission%20denied" }),
      7,
      "permission denied",
    ],
    [
      "a refusal at once",
      (s) => s.respond({ ...OK, "grpc-status": "5", "grpc-message": "100%" }, { endStream: true }),
      5,
      "100%",
    ],
    ["no message", (s) => reply(s, [], { "grpc-status": "0" }), 2, "holds no message"],
    [
      "no status",
      (s) => {
        s.respond(OK);
        s.end(frame("x"));
      },
      14,
      "without a status",
    ],
    [
      "HTTP's own error",
      (s) => {
        s.respond({ ":status": 404 });
        s.end("no");
      },
      14,
      "HTTP status 404",
    ],
    ["a compressed message", (s) => reply(s, [frame("x", 1)], { "grpc-status": "0" }), 2, "compressed"],
    [
      "a message without end",
      (s) => {
        s.respond(OK);
        s.write(Buffer.from("00ffffffff00", "hex"));
      },
      2,
      "4294967295 octets",
    ],
    ["a reset", (s) => s.close(2), 14, ""],
    ["the end of the connection", (s) => s.session?.destroy(), 14, "connection"],
    ["a farewell", (s) => s.session?.goaway(), 14, "ends the connection"],
  ])("end with an error: %s", async (_what, answer, status, message) => {
    const connection = await answering(answer);
    const failed = await connection.call("/x", Buffer.from("y")).catch((thrown: unknown) => thrown);
    expect(failed).toBeInstanceOf(GrpcError);
    expect((failed as GrpcError).status).toBe(status);
    expect((failed as GrpcError).message).toContain(message);
  });

  it("fail at once on a connection that is gone", async () => {
    const connection = await answering((stream) => stream.close());
    connection.close();
    await expect(connection.call("/x", Buffer.from(""))).rejects.toThrow("closed");
  });
});

describe("connecting", () => {
  it("to what is no HTTP/2 server is refused", async () => {
    const endpoint = await listen(createHttpServer((_request, response) => response.end("hello")));
    const connection = await open(endpoint).catch((thrown: unknown) => thrown);
    const failed =
      connection instanceof GrpcConnection
        ? await connection.call("/x", Buffer.from("")).catch((thrown: unknown) => thrown)
        : connection;
    expect(failed).toBeInstanceOf(GrpcError);
  });

  it("to what hangs up is refused", async () => {
    const endpoint = await listen(createTcpServer((socket) => socket.destroy()));
    const connection = await open(endpoint).catch((thrown: unknown) => thrown);
    const failed =
      connection instanceof GrpcConnection
        ? await connection.call("/x", Buffer.from("")).catch((thrown: unknown) => thrown)
        : connection;
    expect(failed).toBeInstanceOf(GrpcError);
  });

  it("ends when it is no longer wanted", async () => {
    const abort = new AbortController();
    const opening = GrpcConnection.open("http://192.0.2.1:2379", NO_TLS, systemClock, abort.signal);
    abort.abort();
    await expect(opening).rejects.toThrow("closed");
  });
});
