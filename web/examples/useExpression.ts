import { onBeforeUnmount, onMounted, ref, shallowRef, type Ref } from "vue";
import { openCamera, Recognizer, type Face } from "ferkit";

/** `const { faces, problem } = useExpression(video)`, where `video` is a template ref of a <video muted playsinline>. */
export function useExpression(video: Ref<HTMLVideoElement | null>) {
  const faces = shallowRef<Face[]>([]);
  const problem = ref("");
  let recognize: Recognizer | undefined;
  let stream: MediaStream | undefined;
  let ended = false;

  function stop() {
    ended = true;
    recognize?.close();
    stream?.getTracks().forEach((track) => track.stop());
  }

  onMounted(async () => {
    try {
      recognize = await Recognizer.create();
      if (ended) return stop();
      stream = await openCamera();
      if (ended || !video.value) return stop();
      video.value.srcObject = stream;
      await video.value.play();
      while (!ended) faces.value = await recognize(video.value);
    } catch (error) {
      if (!ended) problem.value = error instanceof Error ? error.message : String(error);
    }
  });
  onBeforeUnmount(stop);
  return { faces, problem };
}
