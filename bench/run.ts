/**
 * The process that measures a point: takes an {@linkcode Order} as its argument, writes lines of JSON.
 *
 * @module
 */

import process from "node:process";
import type { Order } from "./harness/order.ts";
import { measure } from "./measure.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const line = await measure(order, (progress) => console.log(JSON.stringify(progress)));
// A peer may have left something that keeps the process: it ends when what it has to say is out.
process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(0));
