/**
 * Loaded before a program: what it says has left it when it goes on. Else lines may wait in the process for a reader who is
 * slow, and are gone when it is killed, while what it did after them is on the disk.
 */

import { say } from "./say.ts";

console.log = (...words: unknown[]): void => say(words.join(" "));
