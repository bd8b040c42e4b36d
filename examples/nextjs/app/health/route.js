export const dynamic = "force-dynamic";

export function GET() {
  console.log("GET /health 200");
  return Response.json({ status: "ok" });
}
