using Workerd = import "/workerd/workerd.capnp";

# No compatibility flags, and a date long past: nothing of Node is there.
const config :Workerd.Config = (services = [(name = "main", worker = .suite)]);

const suite :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2025-01-01",
);
