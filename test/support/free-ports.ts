/** Ports of loopback that nobody listens on at the moment, all different. For programs that cannot take port 0. */
import { createServer, type Server } from "node:net";

export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  // All are held until the last is found: no port is handed out twice.
  for (let i = 0; i < count; i += 1) {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  }
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}
