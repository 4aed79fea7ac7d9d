// Loaded before each test file on Node. node:test follows every promise there is, by a weak reference of its own to each, only
// to know whose test it was when nobody caught an error. That is half of the time of the explorer, which makes a great many
// promises. Without it such an error still fails its file, and is told here with its stack.

import asyncHooks from "node:async_hooks";
import process from "node:process";

const tell = (/** @type {unknown} */ error) => console.error("nobody caught", error);

// node:test asks for its hook just before it listens for these errors, so that none is swallowed here.
const listening = {
  enable: () => {
    process.on("uncaughtException", tell).on("unhandledRejection", tell);
    return listening;
  },
  disable: () => {
    process.off("uncaughtException", tell).off("unhandledRejection", tell);
    return listening;
  },
};
asyncHooks.createHook = () => listening;
