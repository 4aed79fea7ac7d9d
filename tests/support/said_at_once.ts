/**
 * Loaded before a program: what it says has left it when it goes on. Else lines may wait in the process for a reader who is
 * slow, and are gone when it is killed, while what it did after them is on the disk.
 */

import { writeSync } from "node:fs";

console.log = (...words: unknown[]): void => void writeSync(1, `${words.join(" ")}\n`);
