"""The study that this kit reproduces, every training of it, and the report on what came out.

Putu Ananda Adi Savitri, Agus Aan Jiwa Permana, Ni Putu Novita Puspa Dewi: "Comparison of CNN and CNN-LSTM
Performance in Facial Expression Classification Based on FER2013 Dataset", AJSTEA, 2026,
https://ejournal.yasin-alsys.org/AJSTEA/article/view/8252
"""
