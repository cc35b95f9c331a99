// Fetches invocations from the Lambda runtime API and answers them, with Node's own HTTP client. AWS's client of the same duty,
// aws-lambda-ric, is compiled by whoever installs it (cmake, autotools, libtool), which few machines can: this one starts no slower.

import http from "node:http";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const base = "/2018-06-01/runtime";

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, agent, method, path: base + path, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode < 300) resolve({ headers: answer.headers, text });
        else reject(new Error(`${method} ${path} answered ${answer.statusCode}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const told = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: [] });

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION ?? "$LATEST",
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

async function load(bundle) {
  try {
    const { default: module } = await import(pathToFileURL(bundle));
    return module.handler;
  } catch (error) {
    await call("POST", "/init/error", told(error));
    throw error;
  }
}

const handler = await load(process.argv[2]);
for (;;) {
  const { headers, text } = await call("GET", "/invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  try {
    const answer = await handler(JSON.parse(text), contextOf(headers));
    await call("POST", `/invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    console.error(error);
    await call("POST", `/invocation/${id}/error`, told(error));
  }
}
