import { useEffect, useRef, useState } from "react";
import { FerkitError, openCamera, Recognizer, type Face } from "ferkit";

export function Expression() {
  const video = useRef<HTMLVideoElement>(null);
  const [faces, setFaces] = useState<Face[]>([]);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    let recognize: Recognizer | undefined;
    let stream: MediaStream | undefined;
    let ended = false;
    async function run() {
      recognize = await Recognizer.create();
      if (ended) return stop();
      stream = await openCamera();
      if (ended || !video.current) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      while (!ended) setFaces(await recognize(video.current));
    }
    function stop() {
      ended = true;
      recognize?.close();
      stream?.getTracks().forEach((track) => track.stop());
    }
    run().catch((error) => {
      if (!ended) setProblem(error instanceof FerkitError ? error.message : String(error));
    });
    return stop;
  }, []);

  return (
    <figure>
      <video ref={video} muted playsInline />
      <figcaption>{problem || faces.map((face) => face.label).join(", ")}</figcaption>
    </figure>
  );
}
