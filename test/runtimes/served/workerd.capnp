using Workerd = import "/workerd/workerd.capnp";

# As in production, one isolate for many requests, each with its own I/O. Of the network it sees this machine alone.
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .app),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const app :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "served.js")],
  bindings = [
    (name = "ISSUER", fromEnvironment = "ISSUER"),
    (name = "ADMIN_KEY", fromEnvironment = "ADMIN_KEY"),
    (name = "RESOURCE", fromEnvironment = "RESOURCE"),
  ],
  globalOutbound = "loopback",
  compatibilityDate = "2025-01-01",
);
