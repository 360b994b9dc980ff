/** The gRPC client before servers that are no etcd, or a broken one. */

import { createServer as createHttpServer } from "node:http";
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GrpcConnection, GrpcError } from "../../../../src/config/calico/datastore/etcd/grpc.ts";
import { waitFor } from "../../../harness/wait-for.ts";

const NO_TLS = { ca: undefined, cert: undefined, key: undefined };
const cleanups: (() => void)[] = [];
const connections: GrpcConnection[] = [];
/** Of the servers. */
const sessions: ServerHttp2Session[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  sessions.length = 0;
  for (const clean of cleanups.splice(0)) clean();
});

async function listen(server: Server | Http2Server, host = "127.0.0.1"): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(() => server.close());
  return `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
}

async function open(endpoint: string): Promise<GrpcConnection> {
  const connection = await GrpcConnection.open(endpoint, NO_TLS, new AbortController().signal);
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
    sessions.push(session);
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

/** 33 MiB of zeros. */
const BOMB = gzipSync(Buffer.alloc(33 * 1024 * 1024));

function replyGzip(stream: ServerHttp2Stream, message: Buffer): void {
  const head = Buffer.from([1, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  stream.respond({ ...OK, "grpc-encoding": "gzip" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.concat([head, message]));
}

async function failureOf(promise: Promise<unknown>): Promise<GrpcError> {
  const failed = await promise.catch((thrown: unknown) => thrown);
  if (failed instanceof GrpcError) return failed;
  throw new Error(`no GrpcError: ${failed}`);
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
    ["no message", (s) => reply(s, [], { "grpc-status": "0" }), 12, "no message"],
    [
      "no status",
      (s) => {
        s.respond(OK);
        s.end(frame("x"));
      },
      13,
      "without gRPC status",
    ],
    [
      "HTTP's own error",
      (s) => {
        s.respond({ ":status": 404 });
        s.end("no");
      },
      12,
      "HTTP status code 404",
    ],
    ["a compressed message", (s) => reply(s, [frame("x", 1)], { "grpc-status": "0" }), 2, "cannot be decompressed"],
    ["a message that is said to be compressed", (s) => replyGzip(s, Buffer.from("x")), 13, "failed to decompress"],
    [
      "a message that is too large when it is unpacked",
      (s) => replyGzip(s, BOMB),
      8,
      "decompresses to a size larger than 33554432",
    ],
    [
      "a message without end",
      (s) => {
        s.respond(OK);
        s.write(Buffer.from("00ffffffff00", "hex"));
      },
      8,
      "4294967295",
    ],
    ["a reset", (s) => s.close(2), 13, "RST_STREAM with code 2"],
    ["the end of the connection", (s) => s.session?.destroy(), 14, "the connection was lost"],
    ["a farewell", (s) => s.session?.goaway(), 14, "the connection was lost"],
  ])("end with an error: %s", async (_what, answer, status, message) => {
    const connection = await answering(answer);
    const failed = await failureOf(connection.call("/x", Buffer.from("y")));
    expect({ status: failed.status, message: failed.message.toLowerCase() }).toEqual({
      status,
      message: expect.stringContaining(message.toLowerCase()),
    });
  });

  it("fail at once on a connection that is gone", async () => {
    const connection = await answering((stream) => stream.close());
    connection.close();
    await expect(connection.call("/x", Buffer.from(""))).rejects.toThrow("closed");
  });

  it("are not made with a token that no header can hold, and nobody is told the token", async () => {
    const connection = await answering((stream) => stream.close());
    const failed = await failureOf(connection.call("/x", Buffer.from(""), { token: "secret\n" }));
    expect(failed.message).toBe("token holds characters that a header cannot hold");
  });
});

describe("streams", () => {
  it("give each message, and end with the server's status", async () => {
    const connection = await answering((stream) =>
      reply(stream, [frame("a"), Buffer.concat([frame("b"), frame("")])], {
        "grpc-status": "11",
        "grpc-message": "gone",
      }),
    );
    const stream = connection.stream("/x");
    stream.send(Buffer.from("y"));
    const told: string[] = [];
    const read = async () => {
      for await (const message of stream.messages()) told.push(Buffer.from(message).toString());
    };
    const failed = await failureOf(read());
    expect([failed.status, failed.message, told]).toEqual([11, "gone", ["a", "b", ""]]);
  });

  it("are sent what is written, and closed on the server's side when nobody reads on", async () => {
    const heard: string[] = [];
    let isClosed = false;
    const connection = await answering((stream) => {
      stream.on("data", (chunk: Buffer) => heard.push(chunk.subarray(5).toString()));
      stream.on("close", () => {
        isClosed = true;
      });
      stream.respond(OK);
      stream.write(frame("a"));
    });
    const stream = connection.stream("/x", { token: "t" });
    stream.send(Buffer.from("y"));
    for await (const message of stream.messages()) {
      expect(Buffer.from(message).toString()).toBe("a");
      break;
    }
    await waitFor(() => isClosed, { what: "the end of the stream" });
    expect(heard).toEqual(["y"]);
  });

  it.each<[string, (session: ServerHttp2Session) => void]>([
    ["ends", (session) => session.destroy()],
    ["says farewell", (session) => session.goaway()],
  ])("end with the connection that %s, and no other is made", async (_what, end) => {
    let connections = 0;
    const connection = await answering((stream) => {
      connections++;
      stream.respond(OK);
      stream.write(frame("a"));
    });
    const messages = connection.stream("/x").messages();
    await messages.next();
    for (const session of sessions) end(session);
    expect((await failureOf(messages.next())).message).toContain("the connection was lost");
    expect((await failureOf(connection.call("/x", Buffer.from("")))).message).toContain("the connection was lost");
    expect(() => connection.stream("/x")).toThrow("the connection was lost");
    expect(connections).toBe(1);
  });

  it("wait while a message is being worked on", async () => {
    const large = frame("x".repeat(1024 * 1024));
    let sent = 0;
    const connection = await answering((stream) => {
      const send = () => {
        if (++sent < 20) stream.write(large, send);
        else stream.end(large);
      };
      stream.respond(OK, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.once("data", () => (stream.id === 1 ? send() : stream.end(frame("y"))));
    });
    const stream = connection.stream("/x");
    stream.send(Buffer.from("y"));
    let received = 0;
    for await (const message of stream.messages()) {
      expect(message.length).toBe(1024 * 1024);
      // Time enough for whatever may be sent.
      if (received++ === 0) for (let n = 0; n < 20; n++) await connection.call("/y", Buffer.from("y"));
      expect(sent).toBeLessThan(received + 4);
    }
    expect(received).toBe(20);
  });

  it("that nobody reads harm nobody", async () => {
    const connection = await answering((stream) => reply(stream, [], { "grpc-status": "7" }));
    const stream = connection.stream("/x");
    await failureOf(connection.call("/x", Buffer.from("")));
    expect((await failureOf(stream.messages().next())).status).toBe(7);
  });
});

describe("connecting", () => {
  const warnings: string[] = [];
  const warned = (warning: Error) => warnings.push(warning.message);
  beforeAll(() => void process.on("warning", warned));
  afterAll(() => {
    process.off("warning", warned);
    // Of a server that is asked for by an address as if it were a name.
    expect(warnings).toEqual([]);
  });

  const openAndCall = async (endpoint: string) => (await open(endpoint)).call("/x", Buffer.from(""));

  it("to what is no HTTP/2 server is refused", async () => {
    const endpoint = await listen(createHttpServer((_request, response) => response.end("hello")));
    await failureOf(openAndCall(endpoint));
  });

  it("to what hangs up is refused, each time with the same words", async () => {
    const endpoint = await listen(createTcpServer((socket) => socket.destroy()));
    const first = await failureOf(openAndCall(endpoint));
    expect(first.message).not.toMatch(/undefined|20\d\d-/);
    expect((await failureOf(openAndCall(endpoint))).message).toBe(first.message);
  });

  it("to an IPv6 address works as to any", async () => {
    const server = createServer();
    server.on("stream", (stream) => reply(stream, [frame("six")], { "grpc-status": "0" }));
    expect(Buffer.from(await openAndCall(await listen(server, "::1"))).toString()).toBe("six");
  });

  it("to nobody is refused, and the reason is told", async () => {
    const failed = await failureOf(open("http://127.0.0.1:1"));
    expect([failed.status, failed.message]).toEqual([14, "connect ECONNREFUSED 127.0.0.1:1"]);
    expect((await failureOf(open("http://nobody.invalid:2379"))).message).toContain("nobody.invalid");
    expect((await failureOf(open("no URL"))).message).toContain("URL");
  });

  it.each(["http", "https"])(
    "to what says nothing ends with the signal, and leaves no socket behind: %s",
    async (how) => {
      let state = "none";
      const server = createTcpServer((socket) => {
        socket.on("error", () => undefined);
        socket.on("close", () => {
          state = "closed";
        });
        socket.once("data", () => {
          state = "open";
        });
      });
      const endpoint = (await listen(server)).replace("http", how);
      const abort = new AbortController();
      const opening = failureOf(GrpcConnection.open(endpoint, NO_TLS, abort.signal));
      await waitFor(() => state === "open", { what: "the connection" });
      abort.abort();
      expect((await opening).message).toBe("closed");
      await waitFor(() => state === "closed", { what: "the end of the connection" });
    },
  );

  it("ends when it is no longer wanted", async () => {
    const abort = new AbortController();
    const opening = GrpcConnection.open("http://192.0.2.1:2379", NO_TLS, abort.signal);
    abort.abort();
    await expect(opening).rejects.toThrow("closed");
  });
});
